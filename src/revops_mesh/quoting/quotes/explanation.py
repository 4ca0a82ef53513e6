"""Why the total and the margin of a quote are what they are: proofs over its lines, in the quote's currency."""

from decimal import Decimal, localcontext

from revops.quoting.v1 import quotes_pb2 as pb
from revops.type.v1.proof_pb2 import Proof

from revops_mesh.numbers.money import EXACT
from revops_mesh.numbers.proof import ProofBuilder

MARGINS = "quoting.margins.read"


def explanation(quote: pb.Quote) -> pb.ExplainQuoteResponse:
    """The proofs of the total, of the margin if the cost is known, and of every charge as it was stored."""
    answer = pb.ExplainQuoteResponse(total=_total(quote), charges=[c.proof for line in quote.lines for c in line.charges])
    if quote.totals.margin:
        answer.margin.CopyFrom(_margin(quote))
    return answer


def _total(quote: pb.Quote) -> Proof:
    proof, total = ProofBuilder(quote.name, quote.name, str(quote.version)), Decimal(0)
    with localcontext(EXACT):
        for line in quote.lines:
            total += Decimal(line.net_amount)
            proof.step("line", f"+ {line.net_amount} of line {line.line_id}", total)
    if not quote.lines:
        proof.step("zero", "nothing without lines", total)
    return proof.finish(total, quote.currency_code)


def _margin(quote: pb.Quote) -> Proof:
    proof = ProofBuilder(f"{quote.name}/margin", quote.name, str(quote.version))
    net, cost = quote.totals.net_amount.amount, quote.totals.cost
    with localcontext(EXACT):
        margin = Decimal(net) - Decimal(cost)
    proof.step("net", f"{net} net", Decimal(net))
    proof.step("cost", f"{net} − {cost}", margin, read_permission=MARGINS)
    return proof.finish(margin, quote.currency_code)

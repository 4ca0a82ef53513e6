"""What the smallest change would be with which no rule asks for approval.

One lever is moved at a time and everything that follows from it is computed anew. A lever is a row of values, from the deal's
own to the best there is. The search starts at the values that the rules themselves name, so a condition that compares with a
number is met exactly, and closes in on the nearest value that passes by bisection. What is given always passes, because it was
tried; where more of the lever never makes a passing deal fail, none nearer does.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from decimal import ROUND_DOWN, Decimal

from revops.quoting.v1 import approvals_pb2 as pb
from revops.quoting.v1 import deal_facts_pb2 as facts_pb

from revops_mesh.numbers.money import EXACT, amount_text, decimal_text, rounded

from ..deal_facts import QUANTUM, costs_of, number, summed

Passes = Callable[[facts_pb.DealFacts], bool]
"""Whether no rule asks for approval of a deal."""

MOST_MONTHS, MOST_DAYS = 1200, 3650
_NUMBERS = re.compile(r"(?<![\w.])[0-9]+(?:\.[0-9]+)?(?![\w.])")


def counterfactuals(facts: facts_pb.DealFacts, conditions: Sequence[str], passes: Passes) -> list[pb.Counterfactual]:
    """The smallest change of each lever that is enough alone; `conditions` are those of the rules that decide."""
    named = {Decimal(text) for condition in conditions for text in _NUMBERS.findall(condition)}
    found = (_discount(facts, named, passes), _term(facts, named, passes), _payment(facts, named, passes), _terms(facts, passes))
    return [each for each in found if each is not None]


def capped(facts: facts_pb.DealFacts, cap: Decimal) -> facts_pb.DealFacts:
    """The deal with no line discounted by more than a rate; `mrr` stays as it is, because lines do not tell it."""
    changed = _copy(facts)
    for line in changed.lines:
        if number(line.discount_rate) > cap:
            listed = number(line.list_amount)
            line.net_amount = amount_text(rounded(EXACT.multiply(listed, 1 - cap), facts.currency_code), facts.currency_code)
            line.discount_rate = decimal_text(cap)
    return summed(changed, costs_of(facts))


def _discount(facts: facts_pb.DealFacts, named: Iterable[Decimal], passes: Passes) -> pb.Counterfactual | None:
    largest = number(facts.max_line_discount_rate)
    if not facts.lines or largest <= 0:
        return None
    steps = nearest(
        [_steps(largest - rate) for rate in named if 0 <= rate < largest],
        _steps(largest),
        lambda taken: passes(capped(facts, largest - taken * QUANTUM)),
    )
    if steps is None:
        return None
    cap = largest - steps * QUANTUM
    amount = number(capped(facts, cap).net_amount) - number(facts.net_amount)
    points = decimal_text((largest - cap) * 100)
    text = f"{points} points less discount, at most {decimal_text(cap * 100)} % on any line, needs no approval: {amount} more"
    return _found("line_discount_cap", decimal_text(largest), decimal_text(cap), text, amount, facts.currency_code)


def _term(facts: facts_pb.DealFacts, named: Iterable[Decimal], passes: Passes) -> pb.Counterfactual | None:
    """Shorter or longer, whichever is nearer; an open term is made a fixed one."""

    def with_term(months: int) -> bool:
        changed = _copy(facts)
        changed.term_months = months
        return passes(changed)

    now = facts.term_months or MOST_MONTHS
    months = {int(each) for each in named if each <= MOST_MONTHS}
    marks = {mark for each in months for mark in (each - 1, each, each + 1) if 1 <= mark <= MOST_MONTHS}
    shorter = nearest([now - mark for mark in marks if mark < now], now - 1, lambda steps: with_term(now - steps))
    longer = nearest([mark - now for mark in marks if mark > now], MOST_MONTHS - now, lambda steps: with_term(now + steps))
    ways = [(steps, now + sign * steps) for steps, sign in ((shorter, -1), (longer, 1)) if steps is not None]
    if not ways:
        return None
    target = min(ways)[1]
    was = str(facts.term_months) if facts.term_months else "open"
    return _found("term_months", was, str(target), f"a term of {target} months instead of {was} needs no approval")


def _payment(facts: facts_pb.DealFacts, named: Iterable[Decimal], passes: Passes) -> pb.Counterfactual | None:
    def with_days(days: int) -> bool:
        changed = _copy(facts)
        changed.payment_days = days
        return passes(changed)

    now = facts.payment_days
    marks = {mark for each in named if each <= MOST_DAYS for mark in (int(each) - 1, int(each)) if 0 <= mark < now}
    steps = nearest([now - mark for mark in marks], now, lambda taken: with_days(now - taken))
    if steps is None:
        return None
    text = f"payment within {now - steps} days instead of {now} needs no approval"
    return _found("payment_days", str(now), str(now - steps), text)


def _terms(facts: facts_pb.DealFacts, passes: Passes) -> pb.Counterfactual | None:
    """The first special term without which it passes; all of them, if only that does."""
    terms = list(facts.special_terms)
    for dropped in [*([term] for term in terms), *([terms] if len(terms) > 1 else [])]:
        changed = _copy(facts)
        changed.special_terms[:] = [term for term in terms if term not in dropped]
        if passes(changed):
            text = f"without {', '.join(dropped)} it needs no approval"
            return _found("special_terms", ", ".join(terms), ", ".join(changed.special_terms), text)
    return None


def nearest(marks: Iterable[int], most: int, passes: Callable[[int], bool]) -> int | None:
    """The smallest number of steps from 1 to `most` that passes, None if none is found.

    Tried are the marks in their order and then `most`; between the first that passes and the last before it that does not, the
    number is found by bisection.
    """
    failing = 0
    for mark in sorted({each for each in marks if 0 < each < most} | ({most} if most > 0 else set())):
        if not passes(mark):
            failing = mark
            continue
        if mark - failing > 1 and not passes(mark - 1):
            return mark  # as nearly always: a rule compares with the number of the mark
        while mark - failing > 1:
            middle = (failing + mark) // 2
            failing, mark = (failing, middle) if passes(middle) else (middle, mark)
        return mark
    return None


def _steps(distance: Decimal) -> int:
    return int(EXACT.divide(distance, QUANTUM).to_integral_value(ROUND_DOWN))


def _copy(facts: facts_pb.DealFacts) -> facts_pb.DealFacts:
    changed = facts_pb.DealFacts()
    changed.CopyFrom(facts)
    return changed


def _found(lever: str, actual: str, target: str, text: str, amount: Decimal | None = None, code: str = "") -> pb.Counterfactual:
    found = pb.Counterfactual(lever=lever, actual=actual, target=target, text=text)
    if amount:
        found.amount = amount_text(amount, code)
        found.text = f"{text.rsplit(':', 1)[0]}: {found.amount} {code} more"
    return found

"""Who sees what of a quote: partners their own, nobody a cost without the permission, no tenant another's."""

import pytest
from google.protobuf.message import Message
from revops.quoting.v1 import quotes_pb2 as pb

from tests.quoting.quotes.deals import Deals
from tests.world import Caller, World

MINE, THEIRS = "partners/mine", "partners/theirs"


@pytest.fixture
async def costed(world: World) -> Deals:
    """A shop that knows its costs."""
    return await Deals.opened(await world.caller(), unit_cost="4")


def requests(name: str) -> list[Message]:
    """Everything a partner may do with a quote that exists."""
    return [
        pb.GetQuoteRequest(name=name),
        pb.ExplainQuoteRequest(name=name),
        pb.UpdateQuoteRequest(quote=pb.Quote(name=name, display_name="x")),
        pb.SubmitQuoteRequest(name=name),
        pb.GetQuoteVersionRequest(name=f"{name}/versions/1"),
    ]


async def partner(deals: Deals, name: str) -> Deals:
    return deals.by(await deals.caller.world.caller("partner", tenant=deals.caller.tenant, partner=name, sub=f"users/{name[9:]}"))


async def test_a_partner_prices_and_submits_its_own_quotes(costed: Deals) -> None:
    mine = await partner(costed, MINE)
    quote = await mine.draft("3", partner=THEIRS)
    assert (quote.partner, quote.totals.net_amount.amount) == (MINE, "30.00")
    submitted = await mine.submit(quote.name)
    version = await mine.version(quote.name, 1)
    assert (submitted.number, version.partner, version.quote.partner) == ("Q-000001", MINE, MINE)
    created, offered = await costed.events()
    assert (created.partner, offered.partner) == (MINE, MINE)  # type: ignore[attr-defined]


async def test_a_partner_sees_no_other_quotes(costed: Deals) -> None:
    mine, theirs = await partner(costed, MINE), await partner(costed, THEIRS)
    foreign = [(await theirs.submitted()).name, (await costed.submitted()).name]
    own = await mine.draft()
    for name in foreign:
        for request in requests(name):
            assert (await mine.caller.refusal(request)).reason == "RESOURCE_NOT_FOUND", request
    listed = await mine.caller(pb.ListQuotesRequest())
    assert [quote.name for quote in listed.quotes] == [own.name]
    assert not (await mine.caller(pb.ListQuoteVersionsRequest(parent=foreign[0]))).quote_versions
    everything = await costed.caller(pb.ListQuotesRequest())
    assert {quote.name for quote in everything.quotes} == {*foreign, own.name}


async def test_a_partner_sees_what_is_sold_through_it(costed: Deals) -> None:
    mine, quote = await partner(costed, MINE), await costed.submitted(partner=MINE)
    assert await mine.get(quote.name)
    assert (await mine.version(quote.name, 1)).partner == MINE


async def test_a_partner_cannot_give_its_quote_away(costed: Deals) -> None:
    mine = await partner(costed, MINE)
    quote = await mine.draft()
    refused = await mine.caller.refusal(pb.UpdateQuoteRequest(quote=pb.Quote(name=quote.name, partner=THEIRS)))
    assert (refused.reason, refused.metadata["field"]) == ("FIELD_INVALID", "partner")


async def test_a_partner_answers_no_quote(costed: Deals) -> None:
    mine = await partner(costed, MINE)
    quote = await mine.submitted()
    for request in (pb.AcceptQuoteRequest(name=quote.name), pb.WithdrawQuoteRequest(name=quote.name)):
        assert (await mine.caller.refusal(request)).reason == "PERMISSION_REQUIRED"


def hidden(quote: pb.Quote) -> set[str]:
    return {quote.totals.cost, quote.totals.margin, *(line.cost for line in quote.lines)}


async def test_cost_and_margin_are_shown_to_those_who_may_read_margins_and_to_nobody_else(costed: Deals) -> None:
    tenant, world = costed.caller.tenant, costed.caller.world
    seller = costed.by(await world.caller("seller", tenant=tenant, sub="users/sam"))
    manager = costed.by(await world.caller("sales-manager", tenant=tenant, sub="users/mia"))
    quote = await seller.submitted("3")
    assert hidden(quote) == {""}
    for reader, expected in ((seller, {""}), (manager, {"12.00", "18.00"})):
        assert hidden(await reader.get(quote.name)) == expected
        assert hidden((await reader.version(quote.name, 1)).quote) == expected
        (listed,) = (await reader.caller(pb.ListQuotesRequest())).quotes
        assert hidden(listed) == expected
        explained = await reader.caller(pb.ExplainQuoteRequest(name=quote.name))
        assert explained.HasField("margin") == (reader is manager)
        assert not any(step.read_permission for proof in explained.charges for step in proof.steps)
    explained = await manager.caller(pb.ExplainQuoteRequest(name=quote.name))
    assert [(step.code, step.value) for step in explained.margin.steps] == [("net", "30"), ("cost", "18")]


async def test_a_seller_who_knows_no_cost_still_submits_with_it(costed: Deals) -> None:
    seller = costed.by(await costed.caller.world.caller("seller", tenant=costed.caller.tenant, sub="users/sam"))
    quote = await seller.submitted("3")
    assert hidden(await costed.get(quote.name)) == {"12.00", "18.00"}


async def test_quotes_are_found_by_what_they_are_about(deals: Deals) -> None:
    small, large = await deals.draft("1", display_name="Small"), await deals.submitted("100", display_name="Large")

    async def found(of: str) -> list[str]:
        return [quote.name for quote in (await deals.caller(pb.ListQuotesRequest(filter=of))).quotes]

    assert await found("state = SUBMITTED") == [large.name]
    assert await found(f'number = "{large.number}"') == [large.name]
    assert await found('totals.net_amount > "500.00 EUR"') == [large.name]
    assert await found('account = "accounts/acme" AND display_name = "Small"') == [small.name]
    assert await found(f'price_entries:"{small.price_entries[0]}"') == [small.name, large.name]


async def test_another_tenant_finds_nothing(deals: Deals) -> None:
    quote = await deals.submitted()
    stranger: Caller = await deals.caller.world.caller()
    for request in requests(quote.name):
        assert (await stranger.refusal(request)).reason == "RESOURCE_NOT_FOUND"

"""Quotes through the whole pipeline: the story of an offer, and what is kept of it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from google.protobuf.field_mask_pb2 import FieldMask
from revops.platform.v1 import reference_pb2 as reference
from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.kernel import clock
from revops_mesh.kernel.names import new_uuid
from revops_mesh.numbers.proof import verify
from tests.catalog.shop import Shop, amount, seat
from tests.quoting.quotes.deals import Deals
from tests.world import World

S = pb.Quote


async def test_a_ten_line_quote_goes_from_a_price_list_to_acceptance(world: World) -> None:
    anna = await world.caller()
    shop = Shop(anna)
    setup = seat("setup", type=1, billing_period_months=0)
    plan, book = await shop.plan(seat(), setup), await shop.book()
    await shop.entry(book, plan, "10.00", unit_cost="2.5")
    await shop.entry(book, plan, charge="setup", pricing=amount("99.90"), unit_cost="40")
    deals = Deals(anna, book, [plan])
    offer = deals.offer(*(str(n) for n in range(1, 11)), display_name="Big deal", contact_email="buyer@acme.test")
    offer.lines[0].discount_rate = "0.15"
    offer.lines[9].discount_amount = "100.01"

    quote = await anna(pb.CreateQuoteRequest(quote=offer))
    assert [line.line_id for line in quote.lines] == [str(n) for n in range(1, 11)]
    assert (quote.totals.list_amount, quote.totals.discount_total) == ("6044.50", "116.49")
    assert (quote.totals.net_amount.amount, quote.totals.one_time, quote.totals.recurring) == ("5928.01", "5388.61", "539.40")
    assert (quote.totals.mrr, quote.totals.cost, quote.totals.margin) == ("539.40", "2337.50", "3590.51")
    assert (quote.state, quote.number, quote.version) == (S.STATE_DRAFT, "", 1)

    quote = await anna(pb.SubmitQuoteRequest(name=quote.name, etag=quote.etag))
    assert (quote.state, quote.number) == (S.STATE_SUBMITTED, "Q-000001")
    ends = quote.expire_time.ToDatetime(tzinfo=UTC)
    assert ends == datetime.combine(clock.now().date() + timedelta(days=31), datetime.min.time(), UTC)
    assert await deals.timers() == [(ends, pb.ExpireQuoteRequest(name=quote.name, version=1))]

    frozen = await deals.version(quote.name, 1)
    assert frozen.state == pb.QuoteVersion.STATE_CURRENT
    assert (frozen.quote.content_hash, frozen.quote.lines) == (quote.content_hash, quote.lines)

    accepted = await anna(pb.AcceptQuoteRequest(name=quote.name, etag=quote.etag))
    assert (accepted.state, accepted.content_hash) == (S.STATE_ACCEPTED, quote.content_hash)
    created, submitted, agreed = await deals.events()
    assert (created.net_amount.amount, submitted.number, agreed.content_hash) == ("5928.01", "Q-000001", quote.content_hash)  # type: ignore[attr-defined]
    assert "buyer@acme.test" not in str((created, submitted, agreed))


async def test_an_explanation_proves_total_margin_and_every_charge(deals: Deals) -> None:
    quote = await deals.draft("3", "5")
    answer = await deals.caller(pb.ExplainQuoteRequest(name=quote.name))
    assert (answer.total.result, [s.value for s in answer.total.steps]) == ("80.00", ["30", "80"])
    assert [proof.result for proof in answer.charges] == ["30.00", "50.00"]
    assert all(verify(proof) for proof in (answer.total, *answer.charges))
    assert not answer.HasField("margin")


async def test_a_change_that_touches_no_price_keeps_what_was_pinned(deals: Deals) -> None:
    quote = await deals.draft("3")
    await deals.new_price(deals.plans[0], "77")
    quote.lines[0].description = "Seats"
    renamed = await deals.caller(
        pb.UpdateQuoteRequest(
            quote=pb.Quote(name=quote.name, display_name="Renewal", lines=quote.lines), request_id=str(new_uuid())
        )
    )
    assert (renamed.display_name, renamed.lines[0].description) == ("Renewal", "Seats")
    assert (renamed.totals.net_amount.amount, renamed.price_time) == ("30.00", quote.price_time)
    assert renamed.lines[0].charges == quote.lines[0].charges
    masked = await deals.caller(
        pb.UpdateQuoteRequest(quote=pb.Quote(name=quote.name, term_months=12), update_mask=FieldMask(paths=["term_months"]))
    )
    assert (masked.term_months, masked.lines) == (12, renamed.lines)


async def test_a_change_of_lines_is_priced_at_the_present(deals: Deals) -> None:
    quote = await deals.draft("3")
    await deals.new_price(deals.plans[0], "77")
    changed = pb.Quote(name=quote.name, lines=[*quote.lines, *deals.offer("1").lines])
    changed = await deals.caller(pb.UpdateQuoteRequest(quote=changed, update_mask=FieldMask(paths=["lines"])))
    assert [(each.line_id, each.net_amount) for each in changed.lines] == [("1", "231.00"), ("2", "77.00")]
    assert changed.price_time.ToNanoseconds() > quote.price_time.ToNanoseconds()


async def test_the_customers_place_in_the_scopes_gives_the_price_and_its_account_is_always_the_quotes(deals: Deals) -> None:
    special = await deals.shop.book(scope={"account": "accounts/acme"})
    await deals.shop.entry(special, deals.plans[0], "8")
    quote = await deals.draft("10", price_scope={"account": "accounts/somebody-else"})
    assert (quote.price_scope.account, quote.totals.net_amount.amount) == ("accounts/acme", "80.00")
    named = pb.Quote(name=quote.name, price_scope={"account": "accounts/somebody-else"})
    named = await deals.caller(pb.UpdateQuoteRequest(quote=named, update_mask=FieldMask(paths=["price_scope.account"])))
    assert (named.price_scope.account, named.totals.net_amount.amount) == ("accounts/acme", "80.00")
    moved = pb.Quote(name=quote.name, account="accounts/other")
    moved = await deals.caller(pb.UpdateQuoteRequest(quote=moved, update_mask=FieldMask(paths=["account"])))
    assert (moved.price_scope.account, moved.totals.net_amount.amount) == ("accounts/other", "100.00")


async def test_a_revised_quote_is_offered_again_under_its_number(deals: Deals) -> None:
    quote = await deals.submitted("3")
    draft = await deals.caller(pb.ReviseQuoteRequest(name=quote.name))
    assert (draft.state, draft.version, draft.number, draft.content_hash) == (S.STATE_DRAFT, 2, quote.number, "")
    more = pb.Quote(name=quote.name, lines=[*quote.lines, *deals.offer("1").lines])
    await deals.caller(pb.UpdateQuoteRequest(quote=more))
    again = await deals.submit(quote.name)
    assert (again.number, again.version, len(again.lines)) == (quote.number, 2, 2)
    listed = await deals.caller(pb.ListQuoteVersionsRequest(parent=quote.name))
    states = [(each.name[-1], each.state, len(each.quote.lines)) for each in listed.quote_versions]
    assert states == [("1", pb.QuoteVersion.STATE_SUPERSEDED, 1), ("2", pb.QuoteVersion.STATE_CURRENT, 2)]
    assert (await deals.submitted("1")).number == "Q-000002"


async def test_a_replaced_quote_names_what_replaces_it(deals: Deals) -> None:
    quote, other = await deals.submitted(), await deals.draft()
    replaced = await deals.caller(pb.SupersedeQuoteRequest(name=quote.name, superseded_by=other.name))
    assert (replaced.state, replaced.superseded_by) == (S.STATE_SUPERSEDED, other.name)
    assert (await deals.version(quote.name, 1)).state == pb.QuoteVersion.STATE_SUPERSEDED
    assert pb.QuoteSuperseded(quote=quote.name, version=1, superseded_by=other.name) in await deals.events()


async def test_a_day_ends_where_the_legal_entity_is(deals: Deals) -> None:
    entity = reference.LegalEntity(display_name="Acme KK", currency_code="JPY", time_zone="Asia/Tokyo")
    entity = await deals.caller(reference.CreateLegalEntityRequest(legal_entity=entity))
    quote = await deals.submitted(legal_entity=entity.name, valid_until={"year": 2099, "month": 5, "day": 31})
    assert quote.expire_time.ToDatetime(tzinfo=UTC) == datetime(2099, 6, 1, tzinfo=ZoneInfo("Asia/Tokyo"))
    missing = await deals.draft(legal_entity="legalEntities/none")
    refused = await deals.caller.refusal(pb.SubmitQuoteRequest(name=missing.name))
    assert (refused.reason, refused.metadata) == ("RESOURCE_NOT_FOUND", {"name": "legalEntities/none"})


async def test_a_repeated_create_is_answered_from_the_first(deals: Deals) -> None:
    request = pb.CreateQuoteRequest(quote=deals.offer("3"), request_id=str(new_uuid()))
    first = await deals.caller(request)
    await deals.new_price(deals.plans[0], "77")
    again = await deals.caller(pb.CreateQuoteRequest.FromString(request.SerializeToString()))
    assert again == first
    assert (await world_rows(deals))["quoting.quotes"] == 1


async def test_a_preview_writes_nothing_and_takes_no_number(deals: Deals) -> None:
    preview = await deals.caller(pb.CreateQuoteRequest(quote=deals.offer("3"), validate_only=True))
    assert preview.totals.net_amount.amount == "30.00"
    draft = await deals.draft("3")
    before = await world_rows(deals)
    shown = await deals.submit(draft.name, validate_only=True)
    assert (shown.state, shown.number) == (S.STATE_SUBMITTED, "Q-000001")
    await deals.caller(pb.RepriceQuoteRequest(name=draft.name, validate_only=True))
    await deals.caller(pb.UpdateQuoteRequest(quote=pb.Quote(name=draft.name, lines=deals.offer("9").lines), validate_only=True))
    assert await world_rows(deals) == before
    assert await deals.get(draft.name) == draft
    assert (await deals.submit(draft.name)).number == "Q-000001"


async def world_rows(deals: Deals) -> dict[str, int]:
    tables = ("quoting.quotes", "quoting.quote_versions", "kernel.outbox", "kernel.timer", "kernel.audit")
    return await deals.caller.world.rows(deals.caller.tenant, tables)

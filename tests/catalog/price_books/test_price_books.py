"""Price books through their contract: terms, periods, and that no two active ones tie."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from revops.catalog.v1 import price_books_pb2 as pb

from revops_mesh.kernel.errors import Failure
from tests.catalog.shop import Shop, at
from tests.world import FREE, World


async def outcomes(*calls: Any) -> Counter[str]:
    """How often each outcome came: OK or a reason."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, Failure):
            raise result
    return Counter(result.reason if isinstance(result, Failure) else "OK" for result in results)


def draft(**fields: Any) -> pb.CreatePriceBookRequest:
    return pb.CreatePriceBookRequest(price_book=pb.PriceBook(**{"display_name": "List", "currency_code": "EUR", **fields}))


def update(name: str, **fields: Any) -> pb.UpdatePriceBookRequest:
    return pb.UpdatePriceBookRequest(price_book=pb.PriceBook(name=name, **fields), update_mask=FieldMask(paths=list(fields)))


async def test_a_book_goes_from_draft_to_retirement_and_leaves_both_events(world: World, shop: Shop) -> None:
    name = await shop.book()
    retired = await shop.caller(pb.RetirePriceBookRequest(name=name))
    assert retired.state == pb.PriceBook.STATE_RETIRED
    assert [event for _, _, event in await world.events(shop.caller.tenant)] == [
        pb.PriceBookActivated(price_book=name, currency_code="EUR"),
        pb.PriceBookRetired(price_book=name),
    ]


@pytest.mark.parametrize("currency", ["ZZZ", "XXX", "XAU"])
async def test_a_currency_without_amounts_is_refused(shop: Shop, currency: str) -> None:
    refusal = await shop.caller.refusal(draft(currency_code=currency))
    assert (refusal.reason, refusal.metadata["field"]) == ("FIELD_INVALID", "price_book.currency_code")
    name = await shop.book(active=False)
    refusal = await shop.caller.refusal(update(name, currency_code=currency))
    assert (refusal.reason, refusal.metadata["field"]) == ("FIELD_INVALID", "price_book.currency_code")


async def test_an_effective_period_that_is_empty_is_refused(shop: Shop) -> None:
    refusal = await shop.caller.refusal(draft(effective_from=at(3), effective_to=at(3)))
    assert refusal.reason == "PRICE_BOOK_PERIOD_EMPTY"
    name = await shop.book(effective_from=at(3))
    refusal = await shop.caller.refusal(update(name, effective_to=at(2)))
    assert (refusal.reason, refusal.metadata) == ("PRICE_BOOK_PERIOD_EMPTY", {"price_book": name})


async def test_an_effective_bound_that_is_no_instant_is_refused(shop: Shop) -> None:
    refusal = await shop.caller.refusal(draft(effective_from=Timestamp(seconds=10**15)))
    assert (refusal.reason, refusal.metadata["field"]) == ("FIELD_INVALID", "price_book.effective_from")


async def test_terms_change_in_a_draft_and_its_key_follows(shop: Shop) -> None:
    name = await shop.book(active=False)
    scope = pb.PriceScope(account="accounts/a1", channel="reseller")
    book = await shop.caller(update(name, scope=scope, priority=4, currency_code="USD"))
    assert (book.scope, book.priority, book.currency_code) == (scope, 4, "USD")
    assert book.scope_key == "account=accounts%2Fa1&channel=reseller"
    listed = await shop.caller(pb.ListPriceBooksRequest(filter=f'scope_key="{book.scope_key}"'))
    assert [each.name for each in listed.price_books] == [name]


async def test_a_caller_cannot_write_what_the_book_derives(shop: Shop) -> None:
    created = await shop.caller(draft(scope_key="channel=web", known_time=at(1), state=pb.PriceBook.STATE_ACTIVE))
    assert (created.scope_key, created.state, created.HasField("known_time")) == ("", pb.PriceBook.STATE_DRAFT, False)


async def test_an_active_book_may_change_its_name_and_period_only(shop: Shop) -> None:
    name = await shop.book()
    assert (await shop.caller(update(name, display_name="Euro list", effective_to=at(900)))).display_name == "Euro list"
    for change in (update(name, priority=1), update(name, scope=pb.PriceScope(channel="web")), update(name, currency_code="USD")):
        refusal = await shop.caller.refusal(change)
        assert (refusal.reason, refusal.metadata["state"], refusal.metadata["allowed"]) == ("PRICE_BOOK_STATE", "ACTIVE", "DRAFT")


async def test_a_deleted_draft_takes_its_entries_along(world: World, shop: Shop) -> None:
    plan, name = await shop.plan(), await shop.book(active=False)
    entry = await shop.entry(name, plan)
    await shop.caller(pb.DeletePriceBookRequest(name=name))
    for request in (pb.GetPriceBookRequest(name=name), pb.GetPriceEntryRequest(name=entry.name)):
        assert (await shop.caller.refusal(request)).reason == "RESOURCE_NOT_FOUND"
    replay = pb.ReplayPriceRequest(price_book=name, charge=entry.charge, quantity="1")
    assert (await shop.caller.refusal(replay)).reason == "RESOURCE_NOT_FOUND"


async def test_a_book_that_was_used_is_not_deleted(shop: Shop) -> None:
    refusal = await shop.caller.refusal(pb.DeletePriceBookRequest(name=await shop.book()))
    assert (refusal.reason, refusal.metadata["state"], refusal.metadata["allowed"]) == ("PRICE_BOOK_STATE", "ACTIVE", "DRAFT")


async def test_a_stale_etag_stops_every_verb_of_a_book(shop: Shop) -> None:
    name = await shop.book(active=False)
    await shop.caller(update(name, priority=1))
    for verb in (pb.ActivatePriceBookRequest, pb.RetirePriceBookRequest, pb.DeletePriceBookRequest):
        assert (await shop.caller.refusal(verb(name=name, etag="1"))).reason == "ETAG_MISMATCH"
    stale = pb.UpdatePriceBookRequest(price_book=pb.PriceBook(name=name, etag="1", priority=2))
    assert (await shop.caller.refusal(stale)).reason == "ETAG_MISMATCH"


async def test_a_book_that_would_tie_with_an_active_one_is_not_activated(shop: Shop) -> None:
    scope = pb.PriceScope(channel="web")
    first = await shop.book(scope=scope, priority=5, effective_from=at(10), effective_to=at(20))
    second = await shop.book(active=False, scope=scope, priority=5, effective_from=at(19))
    refusal = await shop.caller.refusal(pb.ActivatePriceBookRequest(name=second))
    assert (refusal.reason, refusal.metadata) == ("PRICE_BOOK_AMBIGUOUS", {"price_book": second, "other": first})
    assert (await shop.caller(pb.GetPriceBookRequest(name=second))).state == pb.PriceBook.STATE_DRAFT


@pytest.mark.parametrize(
    "differs",
    [
        {"currency_code": "USD"},
        {"priority": 6},
        {"scope": pb.PriceScope(channel="web", region_code="DE")},
        {"scope": pb.PriceScope(segment="web")},
        {"effective_from": at(20)},
        {"effective_to": at(10)},
    ],
)
async def test_books_that_differ_in_one_term_do_not_tie(shop: Shop, differs: dict[str, Any]) -> None:
    terms: dict[str, Any] = {"scope": pb.PriceScope(channel="web"), "priority": 5}
    await shop.book(**terms, effective_from=at(10), effective_to=at(20))
    await shop.book(**{**terms, **differs})


async def test_a_retired_book_ties_with_nobody(shop: Shop) -> None:
    await shop.caller(pb.RetirePriceBookRequest(name=await shop.book()))
    await shop.book()


async def test_an_active_book_is_not_moved_into_the_period_of_its_twin(shop: Shop) -> None:
    early, late = await shop.book(effective_to=at(10)), await shop.book(effective_from=at(10))
    refusal = await shop.caller.refusal(update(early, effective_to=at(11)))
    assert (refusal.reason, refusal.metadata) == ("PRICE_BOOK_AMBIGUOUS", {"price_book": early, "other": late})
    await shop.caller(update(late, effective_from=at(11)))
    await shop.caller(update(early, effective_to=at(11)))


async def test_of_books_that_tie_only_one_is_activated_however_many_try_at_once(shop: Shop) -> None:
    for _ in range(4):
        scope = pb.PriceScope(account=f"accounts/{_}")
        books = [await shop.book(active=False, scope=scope) for _ in range(6)]
        counted = await outcomes(*(shop.caller(pb.ActivatePriceBookRequest(name=name)) for name in books))
        assert counted == {"OK": 1, "PRICE_BOOK_AMBIGUOUS": 5}


async def test_an_activation_and_a_move_into_its_period_do_not_both_succeed(shop: Shop) -> None:
    for n in range(6):
        scope = pb.PriceScope(account=f"accounts/{n}")
        moved = await shop.book(scope=scope, effective_to=at(10))
        activated = await shop.book(active=False, scope=scope, effective_from=at(10))
        move, activate = update(moved, effective_to=at(20)), pb.ActivatePriceBookRequest(name=activated)
        assert await outcomes(shop.caller(move), shop.caller(activate)) == {"OK": 1, "PRICE_BOOK_AMBIGUOUS": 1}


async def test_entries_that_are_being_added_do_not_make_a_book_stale(shop: Shop) -> None:
    plan, name = await shop.plan(), await shop.book(active=False)
    adding = [shop.entry(name, plan, str(n)) for n in range(8)]
    await asyncio.gather(
        *adding, shop.caller(pb.ActivatePriceBookRequest(name=name)), shop.caller(update(name, display_name="x"))
    )
    assert (await shop.caller(pb.GetPriceBookRequest(name=name))).state == pb.PriceBook.STATE_ACTIVE


async def test_the_free_edition_has_two_books(world: World) -> None:
    caller = await world.caller(edition=FREE)
    await caller(draft())
    await caller(draft())
    refusal = await caller.refusal(draft())
    assert (refusal.reason, refusal.metadata["limit"], refusal.metadata["lifted_by"]) == ("LIMIT_REACHED", "2", "TEAM")

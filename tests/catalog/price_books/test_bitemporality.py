"""What a book said of an instant, as it was known at another: against a plain oracle, and with entries coming in meanwhile."""

import asyncio
import random
from typing import Any, NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from revops.catalog.v1 import price_books_pb2 as pb
from revops.catalog.v1 import products_pb2 as products

from revops_mesh.catalog.periods import MICROSECOND, instant
from revops_mesh.kernel import clock
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.names import new_id, parent_of
from revops_mesh.numbers.proof import verify
from tests.catalog.shop import Shop, at, seat
from tests.world import World

LAST = 6
CHARGES = ("a", "b")


class Step(NamedTuple):
    """An entry is added, or, if `amount` is None, prices are resolved at `start`."""

    charge: str
    start: int
    days: int | None
    amount: int | None


starts = st.integers(0, LAST)
additions = st.builds(Step, st.sampled_from(CHARGES), starts, st.none() | st.integers(1, LAST), st.integers(1, 99))
looks = st.builds(Step, st.just(""), starts, st.none(), st.none())
histories = st.lists(st.one_of(additions, additions, looks), min_size=1, max_size=12)


def said(entries: list[pb.PriceEntry], charge: str, day: int, known: int) -> str | None:
    """The oracle: of the entries known and valid, the one that became known last."""
    holding = [
        entry
        for entry in entries
        if entry.charge == charge
        and entry.known_from.ToNanoseconds() <= known
        and entry.valid_from.ToNanoseconds() <= at(day).ToNanoseconds()
        and (not entry.HasField("valid_to") or at(day).ToNanoseconds() < entry.valid_to.ToNanoseconds())
    ]
    return max(holding, key=lambda entry: entry.known_from.ToNanoseconds()).name if holding else None


class Story:
    """One book of two charges, what was added to it and what was resolved from it."""

    def __init__(self, shop: Shop, plan: str, book: str, scope: pb.PriceScope) -> None:
        self.shop, self.plan, self.book, self.scope = shop, plan, book, scope
        self.entries: list[pb.PriceEntry] = []
        self.resolved: list[tuple[int, pb.ChargePrice]] = []

    @classmethod
    async def begin(cls, shop: Shop) -> "Story":
        scope = pb.PriceScope(account=f"accounts/{new_id()}")
        return cls(shop, await shop.plan(*map(seat, CHARGES)), await shop.book(scope=scope), scope)

    async def take(self, step: Step) -> None:
        if step.amount is None:
            await self.look(step.start)
            return
        until = None if step.days is None else at(step.start + step.days)
        fields: dict[str, Any] = {"charge": step.charge, "valid_from": at(step.start), "valid_to": until, "unit_cost": "0.5"}
        self.entries.append(await self.shop.entry(self.book, self.plan, str(step.amount), **fields))

    async def look(self, day: int) -> None:
        """Resolves the plan as of a day; that it has no price then is no failure of the story."""
        try:
            (plan,) = await self.shop.prices(self.plan, quantity="3", valid_time=at(day), scope=self.scope)
        except Failure as failure:
            assert failure.reason == "PRICE_MISSING"
            return
        self.resolved += [(day, pb.ChargePrice.FromString(charge.SerializeToString())) for charge in plan.charges]

    async def replay(self, charge: str, day: int, known: Timestamp) -> str | None:
        request = pb.ReplayPriceRequest(price_book=self.book, charge=charge, quantity="3", valid_time=at(day), known_time=known)
        try:
            return str((await self.shop.caller(request)).price.price_entry)
        except Failure as failure:
            assert failure.reason == "PRICE_MISSING"
            return None

    async def must_replay_everything(self) -> None:
        for day, price in self.resolved:
            assert await self.shop.replay(price, "3", valid_time=at(day)) == price
            assert verify(price.proof)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories, st.data())
async def test_every_price_is_replayed_and_every_instant_agrees_with_the_oracle(
    world: World, history: list[Step], data: st.DataObject
) -> None:
    story = await Story.begin(Shop(await world.caller()))
    for step in history:
        await story.take(step)
        for day in {day for day, _ in story.resolved}:
            for charge in (f"{story.plan}/charges/{charge_id}" for charge_id in CHARGES):
                latest = [price for when, price in story.resolved if when == day and price.charge == charge][-1]
                assert said(story.entries, charge, day, latest.known_time.ToNanoseconds()) == latest.price_entry
    await story.must_replay_everything()
    instants = [entry.known_from.ToNanoseconds() for entry in story.entries]
    assert instants == sorted(set(instants))
    for _ in range(8 if instants else 0):
        charge, day = f"{story.plan}/charges/{data.draw(st.sampled_from(CHARGES))}", data.draw(starts)
        known = Timestamp()
        known.FromNanoseconds(data.draw(st.sampled_from(instants)) + 1000 * data.draw(st.integers(-1, 1)))
        assert await story.replay(charge, day, known) == said(story.entries, charge, day, known.ToNanoseconds())


async def test_prices_resolved_while_entries_come_in_are_replayed_exactly(world: World) -> None:
    """Each resolves from a state of the book between two commits; none may see what is not yet known at its `known_time`."""
    chance = random.Random(5)
    story = await Story.begin(Shop(await world.caller()))
    for charge in CHARGES:
        await story.take(Step(charge, 0, None, 1))

    async def add() -> None:
        for _ in range(12):
            length = chance.choice([None, 1, 2])
            await story.take(Step(chance.choice(CHARGES), chance.randint(0, LAST), length, chance.randint(1, 999)))

    async def look(adding: asyncio.Future[list[None]]) -> None:
        while not adding.done():
            await story.look(chance.randint(0, LAST))

    adding = asyncio.gather(*(add() for _ in range(4)))
    await asyncio.gather(adding, *(look(adding) for _ in range(3)))
    assert len({price.known_time.ToNanoseconds() for _, price in story.resolved}) > 10
    await story.must_replay_everything()
    for day, price in story.resolved:
        assert said(story.entries, price.charge, day, price.known_time.ToNanoseconds()) == price.price_entry


async def test_entries_added_at_once_become_known_one_after_the_other(shop: Shop) -> None:
    plan, book = await shop.plan(), await shop.book()
    entries = await asyncio.gather(*(shop.entry(book, plan, str(n)) for n in range(12)))
    instants = {entry.known_from.ToNanoseconds() for entry in entries}
    assert len(instants) == 12
    stored = await shop.caller(pb.GetPriceBookRequest(name=book))
    assert stored.known_time.ToNanoseconds() == max(instants)
    last = max(entries, key=lambda entry: entry.known_from.ToNanoseconds())
    assert (await shop.price(plan)).price_entry == last.name


async def test_a_replay_as_of_now_promises_only_what_the_book_knows(shop: Shop) -> None:
    plan, book = await shop.plan(), await shop.book()
    entry = await shop.entry(book, plan)
    later = clock.timestamp(clock.now().replace(year=9000))
    knowns: list[dict[str, Any]] = [{}, {"known_time": later}]
    for known in knowns:
        request = pb.ReplayPriceRequest(price_book=book, charge=entry.charge, quantity="2", **known)
        price = (await shop.caller(request)).price
        assert (price.list_amount.amount, price.known_time) == ("20.00", entry.known_from)


async def test_before_a_book_knew_of_a_price_there_was_none(shop: Shop) -> None:
    plan, book = await shop.plan(), await shop.book()
    entry = await shop.entry(book, plan)
    known = instant(entry, "known_from")
    assert known is not None
    fields: dict[str, Any] = {"price_book": book, "charge": entry.charge, "quantity": "1", "valid_time": at(2)}
    early = clock.timestamp(known - MICROSECOND)
    refusal = await shop.caller.refusal(pb.ReplayPriceRequest(**fields, known_time=early))
    assert (refusal.reason, refusal.metadata) == (
        "PRICE_MISSING",
        {"rate_plan": plan, "charge": entry.charge, "currency": "EUR", "valid_time": "2025-01-03T00:00:00Z"},
    )
    assert (await shop.caller(pb.ReplayPriceRequest(**fields, known_time=entry.known_from))).price.price_entry == entry.name


async def test_a_price_is_replayed_after_its_book_and_product_have_retired(shop: Shop) -> None:
    plan, book = await shop.plan(), await shop.book(scope=pb.PriceScope(channel="web"), priority=3)
    await shop.entry(book, plan)
    price = await shop.price(plan, scope=pb.PriceScope(channel="web"), valid_time=at(3))
    await shop.entry(book, plan, "99")
    await shop.caller(pb.RetirePriceBookRequest(name=book))
    await shop.caller(products.RetireProductRequest(name=parent_of(plan)))
    await shop.product_retired(parent_of(plan))
    assert await shop.replay(price, valid_time=at(3)) == price

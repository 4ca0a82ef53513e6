"""Whoever pages to the end sees every row that was there at the start once, whatever is inserted meanwhile, in any order."""

from typing import Any

import pytest
from google.protobuf.message import Message

from revops_mesh.aip.listing import _filterable
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.kinds import ColumnType, Kind
from tests.contract import planting
from tests.contract.methods import METHODS, Method, each, of_installation, owner_of, send
from tests.contract.stories import STORIES
from tests.world import Caller, World

ROWS, PAGES = 32, 4
FIRST_NEW = 500
PLANTED = 'create_time < "2024-01-01T00:00:00Z"'
"""Holds for planted rows: the installation's lists are also everybody else's."""


def lists(method: Method) -> bool:
    return "page_token" in method.request.DESCRIPTOR.fields_by_name


def orders(method: Method) -> bool:
    return "order_by" in method.request.DESCRIPTOR.fields_by_name


def items(answer: Any) -> list[Any]:
    return list(getattr(answer, answer.DESCRIPTOR.fields[0].name))


def identity(item: Any) -> str:
    return str(getattr(item, "name", "") or item.entry_id)


class List:
    """One list with its rows planted, and more rows to plant while it is read."""

    def __init__(self, method: Method, owner: Caller, request: Any, like: Any) -> None:
        self.method, self.owner, self.request, self.like = method, owner, request, like
        self.kind, self.next = planting.listed_kind(method), FIRST_NEW

    @classmethod
    async def planted(cls, method: Method, world: World) -> "List":
        owner = await owner_of(world, method)
        request = await STORIES[method.full_name](world, owner)
        found = cls(method, owner, request, items((await send(owner, method, request))[0])[0])
        found.names = await found.plant(range(ROWS))
        return found

    names: list[str]

    async def plant(self, numbers: Any) -> list[str]:
        world, tenant = self.owner.world, self.owner.tenant
        if self.kind is not None:
            return await planting.plant(world, tenant, self.kind, self.like, numbers)
        audit = self.method.name == "ListAuditEntries"
        return await (planting.plant_audit_entries if audit else planting.plant_dead_letters)(world, tenant, numbers)

    async def page(self, **fields: Any) -> Any:
        request = type(self.request)()
        request.CopyFrom(self.request)
        for field, value in fields.items():
            setattr(request, field, value)
        if of_installation(self.method):
            request.filter = f"{request.filter} AND {PLANTED}" if request.filter else PLANTED
        return (await send(self.owner, self.method, request))[0]

    async def to_the_end(self, **fields: Any) -> list[str]:
        """The identities in the order of pages, while a row is inserted after each page."""
        seen, token, size = list[str](), "", ROWS // PAGES
        while True:
            answer = await self.page(page_size=size, page_token=token, **fields)
            assert len(items(answer)) <= size
            seen += map(identity, items(answer))
            token = answer.next_page_token
            if not token:
                return seen
            assert len(items(answer)) == size, "a page with rows after it is not full"
            await self.plant([self.next])
            self.next += 1


@each(lists)
async def test_no_row_is_missed_or_seen_twice_while_others_are_inserted(method: Method, world: World) -> None:
    rows = await List.planted(method, world)
    seen = await rows.to_the_end()
    assert len(seen) == len(set(seen))
    assert set(rows.names) <= set(seen)
    assert rows.next > FIRST_NEW + 2


@each(lambda method: lists(method) and orders(method))
async def test_every_indexed_field_orders_both_ways(method: Method, world: World) -> None:
    rows = await List.planted(method, world)
    assert rows.kind is not None
    for field, column in _filterable(rows.kind.message, frozenset()).items():
        money = f'{field}.currency_code = "EUR"' if column.kind.name == "MONEY" else ""
        if column.kind.name == ColumnType.TEXT_ARRAY.name:
            await refused(rows, "order_by", order_by=field)
            continue
        for direction in ("ASC", "DESC"):
            seen = await rows.to_the_end(order_by=f"{field} {direction.lower()}", filter=money)
            assert len(seen) == len(set(seen)), f"{field} {direction}"
            expected = await in_sql(rows, rows.kind, column.name, direction)
            assert [name for name in seen if name in set(rows.names)] == expected, f"{field} {direction}"


async def in_sql(rows: List, kind: Kind, column: str, direction: str) -> list[str]:
    """What PostgreSQL makes of the order for the planted rows."""
    found = await rows.owner.world.owner.fetch(
        f"SELECT name FROM {kind.sql} WHERE tenant_id=$1 AND name=ANY($2::text[])"
        f" ORDER BY {column} {direction}, name {direction}",
        rows.owner.tenant, rows.names,
    )  # fmt: skip
    return [row["name"] for row in found]


async def refused(rows: List, field: str, owner: Caller | None = None, **fields: Any) -> None:
    before, rows.owner = rows.owner, owner or rows.owner
    try:
        with pytest.raises(Failure) as caught:
            await rows.page(**fields)
    finally:
        rows.owner = before
    assert (caught.value.reason, caught.value.metadata) == ("FIELD_INVALID", {"field": field}), fields


@each(lists)
async def test_a_token_is_good_for_its_list_and_reader_alone(method: Method, world: World) -> None:
    rows = await List.planted(method, world)
    token = (await rows.page(page_size=3)).next_page_token
    again = [identity(item) for item in items(await rows.page(page_size=3, page_token=token))]
    assert again == [identity(item) for item in items(await rows.page(page_size=3, page_token=token))]
    for forged in (token[:-2], token + "AA", flipped(token, 0), flipped(token, len(token) // 2), "AAAA", "=", "\0", "a" * 20_000):
        await refused(rows, "page_token", page_token=forged)
    if not of_installation(method):
        await refused(rows, "page_token", await owner_of(world, method), page_token=token)
    other_lists: list[dict[str, Any]] = []
    if orders(method):
        other_lists = [{"filter": "create_time:*"}, {"order_by": "name desc"}]
    if "parent" in rows.request.DESCRIPTOR.fields_by_name:
        other_lists.append({"parent": rows.request.parent.split("/")[0] + "/-"})
    if "principal" in rows.request.DESCRIPTOR.fields_by_name:
        other_lists = [{"principal": "users/anna"}, {"resource": "products/a"}]
    for other in other_lists:
        await refused(rows, "page_token", page_token=token, **other)


def flipped(token: str, at: int) -> str:
    return token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]


@each(lists)
async def test_a_token_of_another_method_is_refused(method: Method, world: World) -> None:
    rows = await List.planted(method, world)
    other = next(m for m in METHODS if lists(m) and m is not method and not of_installation(m))
    strange = await List.planted(other, world)
    await refused(rows, "page_token", page_token=(await strange.page(page_size=1)).next_page_token)


@each(lists)
async def test_a_page_has_the_size_that_is_documented(method: Method, world: World) -> None:
    rows = await List.planted(method, world)
    await rows.plant(range(ROWS, ROWS + 30))
    total = len(items(await rows.page(page_size=1000)))
    assert total >= min(ROWS + 30, 1000)
    assert len(items(await rows.page())) == 50
    for size, expected in ((1, 1), (1000, total), (1001, total), (2**31 - 1, total)):
        assert len(items(await rows.page(page_size=size))) == expected
    for size in (-1, -(2**31)):
        await refused(rows, "page_size", page_size=size)


@each(lambda method: method.streams and method.response.DESCRIPTOR.full_name.startswith("revops."))
async def test_a_stream_gives_every_row_once(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    request: Message = await STORIES[method.full_name](world, owner)
    kind = next((kind for kind in planting.KINDS if kind.message is method.response), None)
    like = (await send(owner, method, request))[0]
    if kind is not None:
        names = await planting.plant(world, owner.tenant, kind, like, range(450))
    else:
        names = await planting.plant_audit_entries(world, owner.tenant, range(450))
    seen = [identity(item) for item in await send(owner, method, request)]
    assert len(seen) == len(set(seen))
    assert set(names) <= set(seen)

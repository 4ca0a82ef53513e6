"""Rows for lists to page through, written past the contract because hundreds are wanted: copies of one that a story made.

Each copy differs in every column, with repetitions and missing values, so that an order by any of them has ties and NULLs.
"""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from revops_mesh.kernel.contract import described
from revops_mesh.kernel.kinds import Column, ColumnType, Kind
from revops_mesh.kernel.names import new_id, new_uuid, parent_of
from tests.contract.methods import KINDS, Method
from tests.world import World

TEXTS = ("", "a", "B", "é", "a b", "~")


def listed_kind(method: Method) -> Kind | None:
    """The stored kind whose rows a method lists; None if it lists something else."""
    first = described(method.response).fields[0].message_type
    return next((kind for kind in KINDS if described(kind.message) is first), None)


def vary(state: Message, column: Column, i: int) -> None:
    """Gives the field of a column the i-th of its values; money varies by its amount alone."""
    *way, last = (column.path if not column.money else f"{column.path}.amount").split(".")
    at: Any = state
    for name in way:
        at = getattr(at, name)
    if column.money:
        setattr(at, last, f"{i % 4}.50")
        at.currency_code = "EUR"
    elif column.type is ColumnType.TEXT:
        setattr(at, last, f"{TEXTS[i % len(TEXTS)]}{new_id()}" if column.unique else TEXTS[i % len(TEXTS)])
    elif column.type is ColumnType.TEXT_ARRAY:
        getattr(at, last)[:] = [TEXTS[1]] * (i % 3)
    elif column.type in (ColumnType.TIMESTAMP, ColumnType.DATE):
        at.ClearField(last)
        if i % 3:
            instant, day = Timestamp(seconds=i % 5, nanos=1000), Date(year=2026, month=1, day=1 + i % 5)
            getattr(at, last).CopyFrom(instant if column.type is ColumnType.TIMESTAMP else day)
    elif column.type is ColumnType.ENUM:
        setattr(at, last, column.enum_values[i % len(column.enum_values)][1])
    elif column.type is ColumnType.BOOL:
        setattr(at, last, bool(i % 2))
    else:
        setattr(at, last, i % 4)


def copy_of(kind: Kind, like: Any, i: int) -> Any:
    """The i-th copy of a resource."""
    state: Any = kind.message()
    state.CopyFrom(like)
    state.name = kind.pattern.name(f"row-{(i * 7919) % 1000:03}-{new_id()}", parent_of(like.name))
    state.create_time.CopyFrom(Timestamp(seconds=1_700_000_000 + i // 3))
    state.update_time.CopyFrom(state.create_time)
    state.ClearField("etag")
    for column in kind.columns:
        vary(state, column, i)
    return state


async def plant(world: World, tenant: Any, kind: Kind, like: Any, numbers: Sequence[int]) -> list[str]:
    """Inserts copies of a resource and gives their names."""
    states = [copy_of(kind, like, i) for i in numbers]
    fixed = ["tenant_id", "name", "create_time", "body", *(["parent"] if kind.pattern.nested else [])]
    names = [*fixed, *(column.name for column in kind.columns)]
    lists = {column.name for column in kind.columns if column.type is ColumnType.TEXT_ARRAY}
    places = [f"string_to_array(${i},chr(31))" if name in lists else f"${i}" for i, name in enumerate(names, 1)]
    rows = []
    for state in states:
        first = {"tenant_id": tenant, "name": state.name, "parent": parent_of(state.name), "body": state.SerializeToString()}
        first["create_time"] = state.create_time.ToDatetime(tzinfo=UTC)
        rows.append([*(first[name] for name in fixed), *(column.value(state) for column in kind.columns)])
    sql = f"INSERT INTO {kind.sql}({','.join(names)},revision,update_time) VALUES({','.join(places)},1,$3)"
    await world.owner.executemany(sql, rows)
    return [state.name for state in states]


async def plant_audit_entries(world: World, tenant: Any, numbers: Sequence[int]) -> list[str]:
    """Inserts entries of the audit log and gives their ids as the contract shows them."""
    ids = [new_uuid() for _ in numbers]
    await world.owner.executemany(
        "INSERT INTO kernel.audit(tenant_id,id,time,principal,method,resources,outcome,digest,request,trace)"
        " VALUES($1,$2,now(),'users/anna','revops.catalog.v1.ProductService.GetProduct','{}','OK',$2,'','')",
        [(tenant, each) for each in ids],
    )
    return [each.hex for each in ids]


async def plant_dead_letters(world: World, tenant: Any, numbers: Sequence[int]) -> list[str]:
    """Inserts dead letters and gives their names; several have one time."""
    ids = [new_uuid() for _ in numbers]
    await world.owner.executemany(
        "INSERT INTO kernel.dead_letter(tenant_id,id,time,method,request_type,request,event,problem,attempts)"
        " VALUES($1,$2,date_trunc('second',now()),'x','y','','{}','z',8)",
        [(tenant, each) for each in ids],
    )
    return [f"deadLetters/{each.hex}" for each in ids]

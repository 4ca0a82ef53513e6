"""Standard List and Update over stored resources (AIP-132, AIP-134): the two shapes every module repeats, called explicitly."""

from datetime import UTC
from operator import attrgetter
from typing import Any, TypeVar

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from revops.platform.v1 import reasons_pb2 as platform

from revops_mesh.aip import masks, page_tokens
from revops_mesh.aip.filters import FilterColumn, Kind, compile_filter, pinned_currencies
from revops_mesh.aip.ordering import OrderTerm, after, order_clause, parse_order
from revops_mesh.kernel.aggregate import Aggregate
from revops_mesh.kernel.call import Call
from revops_mesh.kernel.contract import described, facts, memo
from revops_mesh.kernel.errors import refuse
from revops_mesh.kernel.kinds import Column, ColumnType, kind_of
from revops_mesh.kernel.shape import sound

A = TypeVar("A", bound=Aggregate[Any])
M = TypeVar("M", bound=Message)
R = TypeVar("R", bound=Message)

_KINDS = {
    ColumnType.TEXT: Kind.TEXT,
    ColumnType.INTEGER: Kind.INTEGER,
    ColumnType.ENUM: Kind.ENUM,
    ColumnType.BOOL: Kind.BOOL,
    ColumnType.TIMESTAMP: Kind.TIMESTAMP,
    ColumnType.DATE: Kind.DATE,
    ColumnType.DECIMAL: Kind.DECIMAL,
    ColumnType.TEXT_ARRAY: Kind.TEXT_ARRAY,
}
_NULLABLE = {ColumnType.TIMESTAMP, ColumnType.DATE, ColumnType.DECIMAL}


async def page(call: Call, kind: type[A], request: Any, response: type[R]) -> R:
    """One page of a kind: filter, order, size and token of the request, the rows in the response's first repeated field.

    A nested kind needs `request.parent`; its last segment may be "-" for all. Refuses with FIELD_INVALID on any of them.
    """
    stored = kind_of(kind.state_type)
    columns = _filterable(kind.state_type, call.hidden(kind))
    size = page_tokens.page_size(request.page_size)
    parameters: list[object] = [call.tenant]
    conditions = [compile_filter(request.filter, columns, parameters)]
    terms = parse_order(request.order_by, columns, pinned=pinned_currencies(request.filter, columns))
    parent = request.parent if stored.pattern.nested else ""
    if parent and not parent.endswith("/-"):
        parameters.append(parent)
        conditions.append(f"parent=${len(parameters)}")
    whose = (call.method.full_name, call.tenant.hex, call.principal.partner)
    binding = page_tokens.bind(*whose, parent, request.filter, request.order_by)
    if request.page_token:
        values = page_tokens.decode(call.kernel.secrets, request.page_token, binding)
        conditions.append(after(terms, values, parameters))
    where = " AND ".join(f"({condition})" for condition in conditions if condition)
    found = await call.repo(kind).select(where, parameters[1:], order_clause(terms), size + 1)
    answer: Any = response()
    getattr(answer, described(response).fields[0].name).extend(aggregate.state for aggregate in found[:size])
    if len(found) > size:
        last = _values(kind.state_type, terms, found[size - 1].state)
        answer.next_page_token = page_tokens.encode(call.kernel.secrets, last, binding)
    return answer  # type: ignore[no-any-return]


def merged(call: Call, aggregate: Aggregate[Any], source: M, mask: FieldMask) -> M:
    """The stored resource with the request's values applied by the mask, as a new message.

    Refuses with FIELD_INVALID for unknown, output-only and changed immutable fields, and PERMISSION_REQUIRED for one that the
    caller may not read; without naming it, such a field keeps its stored value.
    """
    target = type(source)()
    target.CopyFrom(aggregate.state)
    sets = masks.field_sets(described(source))
    hidden = call.hidden(type(aggregate))
    try:
        masks.apply_mask(target, source, mask, immutable=sets.immutable, output_only=sets.output_only, hidden=hidden)
    except masks.HiddenField as error:
        permission = facts(described(source).fields_by_name[error.path.split(".")[0]]).read_permission
        raise refuse(
            platform.PERMISSION_REQUIRED, "{field} needs {permission}.", field=error.path, permission=permission
        ) from None
    sound(target, _snake(described(source).name))
    return target


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


@memo
def _filterable(message: type[Message], hidden: frozenset[str]) -> dict[str, FilterColumn]:
    """The columns of a kind by field path, without those the caller may not read."""
    columns = {
        "name": FilterColumn("name", Kind.TEXT),
        "create_time": FilterColumn("create_time", Kind.TIMESTAMP),
        "update_time": FilterColumn("update_time", Kind.TIMESTAMP),
    }
    for column in kind_of(message).columns:
        if column.path.split(".")[0] in hidden:
            continue
        if not column.money:
            columns[column.path] = _column(column)
        elif column.type is ColumnType.DECIMAL:
            columns[column.path] = FilterColumn(column.name, Kind.MONEY, {}, f"{column.money}__currency", nullable=True)
    return columns


def _column(column: Column) -> FilterColumn:
    prefix = f"{column.path.rpartition('.')[2].upper()}_"
    names = {name.removeprefix(prefix): number for name, number in column.enum_values} | dict(column.enum_values)
    return FilterColumn(column.name, _KINDS[column.type], names, nullable=column.type in _NULLABLE)


def _values(message: type[Message], terms: tuple[OrderTerm, ...], state: Message) -> list[object]:
    by_name = {column.name: column.value for column in kind_of(message).columns}
    return [by_name.get(term.column.name, _standard(term.column.name))(state) for term in terms]


def _standard(name: str) -> Any:
    read = attrgetter(name)
    if name == "name":
        return read
    return lambda state: read(state).ToDatetime(tzinfo=UTC)

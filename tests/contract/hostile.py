"""Values that nobody sends by mistake: for every field of a contract, by its type, as hypothesis strategies."""

from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revops_mesh.kernel.contract import described

CONTROL = ["\0", "a\0b", "\x1f", "a\x1fb", "\x1b[31m", "\r\nX-Evil: 1", "\x7f", "\u202e", "\ufeff", "\ufffe", "\U0010ffff"]
SQL = ["'; DROP TABLE platform.tenants; --", "' OR '1'='1", "\\", "$1", "%", "_", "%s%n", "{0}", "{field}", "NULL", "'"]
PATHS = ["../../etc/passwd", "/", "//", "a/", "products/..", "products/-", "products/-/ratePlans/-", "priceBooks/-", "-", "*"]
PATHS += ["products/A", "products/" + "a" * 64, "products/a/ratePlans/b", "quotes/a/versions/1", "roles/admin", "tenants/x", "."]
CEL = ["1 == 1 || true", "size(this) > 0", "this.matches('(a+)+$')", "[1,2].all(x, x > 0)"]
UNICODE = ["Ａ", "İstanbul", "ß", "😀" * 50, "e\u0301", "١٢", "𝟏", "\u00a0", "Ω" * 199]
NUMBERS = ["nan", "Infinity", "-1", "1e400", "1e-400", "0x10", "9" * 400, "1_000", "0", "-0", "00", ".5", "5.", "1.0000000000001"]
NUMBERS += ["0.0000001", "999999999999", "999999999999999999", "0.000000000001"]
FILTERS = ["(" * 5_000, "NOT " * 200, '"', 'name = "', "a.b.c.d = 1", 'create_time > "9999-99-99T00:00:00Z"', "delete_time:*"]
FILTERS += ["tenant_id:*", "body:*", "revision > 0", "name desc, name asc", "name;", "name = *", 'name = "*a*b*"', "1 = 1"]
FILTERS += ['create_time > "0001-01-01T00:00:00Z"', 'create_time < "9999-12-31T23:59:59-23:59"', 'name = "a\0"', "name"]
LONG = ["a" * 201, "a" * 100_000, "é" * 5_000]
IDS = ["00000000-0000-0000-0000-000000000000", "not-a-uuid", "{00000000-0000-0000-0000-000000000001}", "urn:uuid:x"]

INTEGERS = {32: [-(2**31), -1, 0, 1, 2**31 - 1], 64: [-(2**63), -1, 0, 1, 2**63 - 1]}


def instants(seconds: list[int], nanos: list[int]) -> list[Timestamp]:
    return [Timestamp(seconds=second, nanos=nano) for second in seconds for nano in nanos]


FIRST, LAST = -62_135_596_800, 253_402_300_799
"""Seconds of the years 1 and 9999 (protobuf)."""
DAYS = [(0, 0), (1, 0), (2, 29), (2, 30), (12, 31), (13, 1)]
DATES = [Date(year=year, month=month, day=day) for year in (-1, 0, 1, 2026, 9999, 10_000) for month, day in DAYS]
DATES += [Date(year=2026, month=-1, day=1), Date(year=2**31 - 1, month=2**31 - 1, day=2**31 - 1)]
MASKS = [["*"], ["*", "name"], [""], ["name"], ["etag"], ["create_time"], ["state"], ["unknown"], ["a.b.c"], ["."], ["*."]]
MASKS += [["x"] * 300, ["display_name"], ["display_name", "display_name"], ["display_name.x"], ["DISPLAY_NAME"], ["a" * 10_000]]

TEXTS: list[st.SearchStrategy[str]] = [
    st.sampled_from(CONTROL),
    st.sampled_from(LONG),
    st.sampled_from(PATHS),
    st.sampled_from(FILTERS),
    st.sampled_from([*SQL, *CEL, *IDS, "", " "]),
    st.sampled_from([*UNICODE, *NUMBERS]) | st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
]
"""By kind of malice: each field gets one of each in turn."""
INSTANTS = [
    st.sampled_from(instants([FIRST - 1, LAST + 1, -(2**63), 2**63 - 1], [0])),
    st.sampled_from(instants([0, 1_772_438_400], [-1, 1_000_000_000, 2**31 - 1])),
    st.sampled_from(instants([FIRST, FIRST + 1, -1, 0, LAST], [0, 1, 999_999_999])),
]

_INT32 = {FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_SINT32, FieldDescriptor.TYPE_SFIXED32}
_WELL_KNOWN: dict[str, list[st.SearchStrategy[Any]]] = {
    "google.protobuf.Timestamp": INSTANTS,
    "google.type.Date": [st.sampled_from(DATES)],
    "google.protobuf.FieldMask": [st.sampled_from(MASKS).map(lambda paths: FieldMask(paths=paths))],
}
Change = Callable[[Message], None]


def values_of(field: FieldDescriptor, turn: int) -> st.SearchStrategy[Any]:
    """One hostile value of a field's type; None for messages of ours, which are only emptied or left out."""
    if field.message_type is not None:
        kinds = _WELL_KNOWN.get(field.message_type.full_name, [st.none()])
        return kinds[turn % len(kinds)]
    if field.enum_type is not None:
        known = [value.number for value in field.enum_type.values]
        return st.sampled_from([*known, max(known) + 1, -1, 2**31 - 1, -(2**31)])
    if field.type == FieldDescriptor.TYPE_STRING:
        return TEXTS[turn % len(TEXTS)]
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=100)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return st.booleans()
    return st.sampled_from(INTEGERS[32 if field.type in _INT32 else 64])


def cases(fields: Iterable[tuple[str, FieldDescriptor]]) -> list[tuple[str, Change]]:
    """One way of every kind of malice for each field, the same in every run, kind after kind."""
    wanted = list(fields)
    return [case for turn in range(len(TEXTS)) for case in _drawn(wanted, turn)]


def _drawn(fields: list[tuple[str, FieldDescriptor]], turn: int) -> list[tuple[str, Change]]:
    found: list[tuple[str, Change]] = []

    @settings(max_examples=1 + turn, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.tuples(*(changes(path, field, turn) for path, field in fields)))
    def draw(drawn: tuple[tuple[str, Change], ...]) -> None:
        found[:] = drawn  # the first is always the simplest, the last is not

    draw()
    return found


def changes(path: str, field: FieldDescriptor, turn: int) -> st.SearchStrategy[tuple[str, Change]]:
    """Ways to make a request hostile at one path, each with a description."""

    def changed(value: Any, times: int) -> tuple[str, Change]:
        return f"{path} = {str(value)[:80]!r} × {times}", lambda message: put(message, path, value, times)

    times = st.sampled_from([1, 1, 0, 2, 1001]) if field.is_repeated else st.just(1)
    return st.builds(changed, values_of(field, turn), times)


def put(message: Message, path: str, value: Any, times: int) -> None:
    """Sets the field at a path, in the first element of each list on the way, which is added if the list is empty."""
    *way, last = path.split(".")
    at: Any = message
    for name in way:
        field, inner = described(at).fields_by_name[name], getattr(at, name)
        at = (inner[0] if inner else inner.add()) if field.is_repeated else inner
    field = described(at).fields_by_name[last]
    if field.is_repeated:
        kept = list(getattr(at, last))
        at.ClearField(last)
        for _ in range(times):
            if field.message_type is None:
                getattr(at, last).append(value)
            else:
                getattr(at, last).add().MergeFrom(value if value is not None else (kept or [getattr(at, last).add()])[0])
    elif field.message_type is None:
        setattr(at, last, value)
    else:
        at.ClearField(last)
        inner = getattr(at, last)
        inner.SetInParent()
        if value is not None:
            inner.CopyFrom(value)

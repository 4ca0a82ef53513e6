"""The SQL of the unit of work, built from kinds and cached by shape.

`$1` is always the tenant and every statement names it as `tenant_id=$1`; row-level security refuses the rest. The
flush is one statement: lock rows in (table, name) order, update by revision, count, and let events, timers, ledger rows,
audit and the replay's answer follow only if every count matches (design: kernel, "One unit of work, one flush").
"""

from dataclasses import dataclass
from functools import cache
from uuid import UUID

from .kinds import PROJECTION, Column, ColumnType, Kind


@dataclass(frozen=True, slots=True)
class Shape:
    """What a flush writes; flushes of one shape share one prepared statement."""

    inserts: tuple[Kind, ...] = ()
    updates: tuple[Kind, ...] = ()
    unchanged: tuple[Kind, ...] = ()
    ledgers: tuple[Kind, ...] = ()
    counters: tuple[Kind, ...] = ()
    events: bool = False
    timers: bool = False
    audit: bool = False
    replay: bool = False
    single: bool = False
    """One row of each kind, one event and one timer at most: as most calls write, and at less cost than arrays of one."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The replay key of a call (AIP-155) and the digest of its request."""

    principal: UUID
    request_id: UUID
    digest: UUID
    days: int


def begin(tenant: UUID, partner: str, claim: Claim | None, *, read_only: bool) -> str:
    """One round trip that opens the transaction, names the tenant and claims the replay key.

    UUIDs are literals and the partner was matched against its pattern, so nothing here can be injected.
    """
    text = f"BEGIN{' READ ONLY' if read_only else ''};SET LOCAL app.tenant_id='{tenant}'"
    if partner:
        text += f";SET LOCAL app.partner='{partner}'"
    if claim is not None:
        text += (
            ";INSERT INTO kernel.replay(tenant_id,principal,request_id,digest,expire_time)"
            f" VALUES('{tenant}','{claim.principal}','{claim.request_id}','{claim.digest}',now()+interval '{claim.days} days')"
            " ON CONFLICT DO NOTHING"
        )
    return text


REPLAY = "SELECT digest, response FROM kernel.replay WHERE tenant_id=$1 AND principal=$2 AND request_id=$3"
NEXT_NUMBER = (
    "INSERT INTO kernel.series(tenant_id,series,n) VALUES($1,$2,1)"
    " ON CONFLICT (tenant_id,series) DO UPDATE SET n=series.n+1 WHERE series.tenant_id=$1 RETURNING n"
)


@cache
def select_one(kind: Kind, *, partner: bool, lock: bool) -> str:
    """One live row by `$2` name, of the partner `$3` if scoped."""
    scoped = f" AND {kind.partner.name}=$3" if partner and kind.partner else ""
    return (
        f"SELECT body, revision FROM {kind.sql} WHERE tenant_id=$1 AND name=$2 AND delete_time IS NULL{scoped}"
        f"{' FOR UPDATE' if lock else ''}"
    )


@cache
def select_many(kind: Kind, *, partner: bool) -> str:
    """Live rows by `$2` names, of the partner `$3` if scoped, in the order of names."""
    scoped = f" AND {kind.partner.name}=$3" if partner and kind.partner else ""
    return (
        f"SELECT body, revision FROM {kind.sql} WHERE tenant_id=$1 AND name=ANY($2::text[]) AND delete_time IS NULL{scoped}"
        " ORDER BY name"
    )


def select_where(kind: Kind, where: str, order: str, limit: int, partner_parameter: int | None) -> str:
    """Live rows that satisfy `where`, a condition over columns and parameters from `$2` on."""
    scoped = f" AND {kind.partner.name}=${partner_parameter}" if partner_parameter and kind.partner else ""
    condition = f" AND ({where})" if where else ""
    return (
        f"SELECT body, revision FROM {kind.sql} WHERE tenant_id=$1 AND delete_time IS NULL{scoped}{condition}"
        f" ORDER BY {order or 'name'} LIMIT {limit:d}"
    )


class _Parameters:
    """Numbers the parameters of a statement and remembers their types."""

    def __init__(self, single: bool) -> None:
        self.count = 2
        self.single = single

    def next(self, sql_type: str) -> str:
        self.count += 1
        return f"${self.count}::{sql_type}"


def _value(column: Column) -> str:
    if column.type is ColumnType.TEXT_ARRAY:
        return f"string_to_array(x.{column.name},chr(31))"
    return f"x.{column.name}"


def _unnest(parameters: _Parameters, fields: list[tuple[str, str]]) -> str:
    if parameters.single:
        return f"(SELECT {','.join(f'{parameters.next(of[:-2])} AS {name}' for name, of in fields)}) AS x"
    numbered = ",".join(parameters.next(sql_type) for _, sql_type in fields)
    return f"unnest({numbered}) AS x({','.join(name for name, _ in fields)})"


def _insert(kind: Kind, p: _Parameters, gate: str) -> str:
    nested = [("parent", "text[]")] if kind.pattern.nested else []
    rows = _unnest(p, [("name", "text[]"), *nested, ("body", "bytea[]"), *((c.name, c.array_type) for c in kind.columns)])
    names = [
        "tenant_id",
        "name",
        *(n for n, _ in nested),
        "revision",
        "projection",
        "body",
        "create_time",
        "update_time",
    ]
    values = [
        "$1::uuid",
        "x.name",
        *(f"x.{n}" for n, _ in nested),
        "1",
        str(PROJECTION),
        "x.body",
        "$2::timestamptz",
        "$2::timestamptz",
    ]
    names += [column.name for column in kind.columns]
    values += [_value(column) for column in kind.columns]
    return f"INSERT INTO {kind.sql}({','.join(names)}) SELECT {','.join(values)} FROM {rows}{gate} RETURNING 1"


def _update(kind: Kind, p: _Parameters, locks: str) -> tuple[str, str, str]:
    """The lock, the update and the condition that every row was updated."""
    fields = [("name", "text[]"), ("seen", "int[]"), ("gone", "boolean[]"), ("body", "bytea[]")]
    rows = _unnest(p, [*fields, *((c.name, c.array_type) for c in kind.columns)])
    same, number = _names(rows, p)
    after = f" AND {locks}" if locks else ""
    lock = f"SELECT 1 FROM {kind.sql} WHERE tenant_id=$1 AND name={same}{after} ORDER BY name FOR UPDATE"
    columns = "".join(f",{column.name}={_value(column)}" for column in kind.columns)
    update = (
        f"UPDATE {kind.sql} t SET revision=x.seen+1,projection={PROJECTION},body=x.body,update_time=$2::timestamptz,"
        f"delete_time=CASE WHEN x.gone THEN $2::timestamptz END{columns} FROM {rows}"
        " WHERE t.tenant_id=$1 AND t.name=x.name AND t.revision=x.seen AND t.delete_time IS NULL AND {lock} RETURNING 1"
    )
    return lock, update, number


def _unchanged(kind: Kind, p: _Parameters, locks: str) -> tuple[str, str]:
    rows = _unnest(p, [("name", "text[]"), ("seen", "int[]")])
    _, number = _names(rows, p)
    after = f" AND {locks}" if locks else ""
    check = (
        f"SELECT 1 FROM {kind.sql} t, {rows} WHERE t.tenant_id=$1 AND t.name=x.name AND t.revision=x.seen"
        f" AND t.delete_time IS NULL{after} ORDER BY t.name FOR SHARE OF t"
    )
    return check, number


def _names(rows: str, p: _Parameters) -> tuple[str, str]:
    """What a name must equal to be one of some rows, whose first field is their name, and their number."""
    if p.single:
        return rows[len("(SELECT ") :].split(" ", 1)[0], "1"
    names = rows[len("unnest(") :].split(",", 1)[0]
    return f"ANY({names})", f"cardinality({names})"


def _counter(kind: Kind, p: _Parameters) -> str:
    delta, most, epoch = p.next("bigint"), p.next("bigint"), p.next("int")
    known = f"EXISTS(SELECT 1 FROM kernel.counter WHERE tenant_id=$1 AND kind='{kind.sql}' AND epoch={epoch})"
    live = f"(SELECT count(*) FROM {kind.sql} WHERE tenant_id=$1 AND delete_time IS NULL)"
    return (
        f"INSERT INTO kernel.counter(tenant_id,kind,epoch,n) SELECT $1::uuid,'{kind.sql}',{epoch},s.n+{delta}"
        f" FROM (SELECT CASE WHEN {known} THEN 0 ELSE {live} END AS n) s WHERE {delta}<=0 OR s.n+{delta}<={most}"
        f" ON CONFLICT (tenant_id,kind,epoch) DO UPDATE SET n=counter.n+{delta}"
        f" WHERE counter.tenant_id=$1 AND ({delta}<=0 OR counter.n+{delta}<={most}) RETURNING 1"
    )


def _ledger(kind: Kind, p: _Parameters) -> str:
    rows = _unnest(p, [("entry_id", "uuid[]"), *((c.name, c.array_type) for c in kind.columns)])
    names = ",".join(column.name for column in kind.columns)
    values = ",".join(_value(column) for column in kind.columns)
    return (
        f"INSERT INTO {kind.sql}(tenant_id,entry_id,entry_time,{names})"
        f" SELECT $1::uuid,x.entry_id,$2::timestamptz,{values} FROM ok,{rows} WHERE ok.ok"
    )


def _events(p: _Parameters) -> str:
    types = ("smallint[]", "text[]", "int[]", "smallint[]", "uuid[]", "text[]", "bytea[]")
    fields = list(zip(("bucket", "aggregate", "revision", "n", "id", "type", "payload"), types, strict=True))
    trace, rows = p.next("text"), _unnest(p, fields)
    return (
        "INSERT INTO kernel.outbox(tenant_id,bucket,aggregate,revision,n,id,type,payload,trace,time)"
        f" SELECT $1::uuid,x.bucket,x.aggregate,x.revision,x.n,x.id,x.type,x.payload,{trace},$2::timestamptz"
        f" FROM ok,{rows} WHERE ok.ok"
    )


def _timers(p: _Parameters) -> str:
    trace, rows = (
        p.next("text"),
        _unnest(p, [("id", "uuid[]"), ("due", "timestamptz[]"), ("type", "text[]"), ("request", "bytea[]"), ("lane", "text[]")]),
    )
    return (
        "INSERT INTO kernel.timer(tenant_id,id,due,request_type,request,attempts,trace,lane)"
        f" SELECT $1::uuid,x.id,x.due,x.type,x.request,0,{trace},x.lane FROM ok,{rows} WHERE ok.ok"
    )


def _audit(p: _Parameters) -> str:
    types = ("uuid", "text", "text", "text[]", "uuid", "bytea", "text")
    entry, principal, method, resources, digest, request, trace = map(p.next, types)
    return (
        "INSERT INTO kernel.audit(tenant_id,id,time,principal,method,resources,outcome,digest,request,trace)"
        f" SELECT $1::uuid,{entry},$2::timestamptz,{principal},{method},{resources},'OK',{digest},{request},{trace}"
        " FROM ok WHERE ok.ok"
    )


def _replay(p: _Parameters) -> str:
    principal, request_id, response = p.next("uuid"), p.next("uuid"), p.next("bytea")
    return (
        f"UPDATE kernel.replay SET response={response} WHERE tenant_id=$1 AND principal={principal}"
        f" AND request_id={request_id} AND (SELECT ok FROM ok)"
    )


@cache
def flush(shape: Shape) -> str:
    """The one statement of a flush; it answers `updated`, `unchanged` and `counted`, each true or false.

    Parameters after tenant and time, in this order: updates, unchanged, inserts, counters, ledgers, events, timers,
    audit, replay; inside each as `Unit` lists them.
    """
    p, parts, locks = _Parameters(shape.single), [], ""
    updated, unchanged, counted, added = ["true"], ["true"], ["true"], ["true"]
    pending: list[tuple[str, str]] = []
    for i, kind in enumerate(shape.updates):
        lock, update, rows = _update(kind, p, locks)
        parts.append((f"l{i}", lock))
        locks = f"(SELECT count(*) FROM l{i})>=0"
        pending.append((f"u{i}", update))
        updated.append(f"(SELECT count(*) FROM u{i})={rows}")
    for i, kind in enumerate(shape.unchanged):
        check, rows = _unchanged(kind, p, locks)
        parts.append((f"v{i}", check))
        locks = f"(SELECT count(*) FROM v{i})>=0"
        unchanged.append(f"(SELECT count(*) FROM v{i})={rows}")
    parts += [(name, update.replace("{lock}", locks)) for name, update in pending]
    # Before anything is inserted: a stale call is told that it is stale, not that the row which its winner added exists.
    parts.append(("m", f"SELECT {' AND '.join(updated)} AS updated,{' AND '.join(unchanged)} AS unchanged"))
    gate = " CROSS JOIN m WHERE m.updated AND m.unchanged" if locks else ""
    for i, kind in enumerate(shape.inserts):
        parts.append((f"i{i}", _insert(kind, p, gate)))
        added.append(f"(SELECT count(*) FROM i{i})>0")
    for i, kind in enumerate(shape.counters):
        parts.append((f"c{i}", _counter(kind, p)))
        counted.append(f"(SELECT count(*) FROM c{i})=1")
    parts.append(("n", f"SELECT updated,unchanged,{' AND '.join(added)} AS added,{' AND '.join(counted)} AS counted FROM m"))
    parts.append(("ok", "SELECT updated AND unchanged AND added AND counted AS ok FROM n"))
    parts += [(f"g{i}", _ledger(kind, p)) for i, kind in enumerate(shape.ledgers)]
    parts += [(name, build(p)) for name, wanted, build in (
        ("o", shape.events, _events), ("t", shape.timers, _timers), ("a", shape.audit, _audit), ("r", shape.replay, _replay),
    ) if wanted]  # fmt: skip
    ctes = ",".join(f"{name} AS ({sql})" for name, sql in parts)
    return (
        f"WITH {ctes} SELECT updated,unchanged,counted FROM n WHERE $2::timestamptz IS NOT NULL"  # it has a type in every shape
    )

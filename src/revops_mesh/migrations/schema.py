"""The tables: one per kind, derived from the contract, and the kernel's own.

SQLAlchemy metadata for migrations only; the unit of work speaks to PostgreSQL through the kernel's `statements`. Every key starts
with the tenant, but for the outbox, whose key starts with its bucket.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, TEXT, TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as PGUUID

from revops_mesh.kernel.kinds import PROJECTION, ColumnType, Kind

_TYPES: dict[ColumnType, sa.types.TypeEngine[Any]] = {
    ColumnType.TEXT: TEXT(),
    ColumnType.INTEGER: sa.BigInteger(),
    ColumnType.ENUM: sa.SmallInteger(),
    ColumnType.BOOL: sa.Boolean(),
    ColumnType.TIMESTAMP: TIMESTAMP(timezone=True),
    ColumnType.DATE: sa.Date(),
    ColumnType.DECIMAL: sa.Numeric(),
    ColumnType.TEXT_ARRAY: sa.ARRAY(sa.Text()),
}
_NULLABLE = {ColumnType.TIMESTAMP, ColumnType.DATE, ColumnType.DECIMAL}


def _time(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def metadata_of(kinds: Iterable[Kind]) -> sa.MetaData:
    """The whole schema of a database that holds these kinds."""
    metadata = sa.MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "ix": "%(table_name)s_%(column_0_N_name)s",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
        }
    )
    _kernel_tables(metadata)
    _messaging_tables(metadata)
    for kind in kinds:
        (_ledger if kind.ledger else _aggregate)(metadata, kind)
    return metadata


def _columns(kind: Kind) -> list[sa.Column[Any]]:
    return [sa.Column(column.name, _TYPES[column.type], nullable=column.type in _NULLABLE) for column in kind.columns]


def _aggregate(metadata: sa.MetaData, kind: Kind) -> None:
    nested = [sa.Column("parent", sa.Text(collation="C"), nullable=False)] if kind.pattern.nested else []
    table = sa.Table(
        kind.table,
        metadata,
        sa.Column("tenant_id", PGUUID(), primary_key=True),
        sa.Column("name", sa.Text(collation="C"), primary_key=True),
        *nested,
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), nullable=False, server_default=sa.text(str(PROJECTION))),
        sa.Column("body", BYTEA(), nullable=False),
        _time("create_time"),
        _time("update_time"),
        _time("delete_time", nullable=True),
        *_columns(kind),
        schema=kind.schema,
        info={
            "tenant": True, "partner": kind.partner.name if kind.partner else "", "platform": kind.platform,
            "expires": bool(kind.retention_days),
        },
    )  # fmt: skip
    if kind.retention_days:
        sa.Index(f"{kind.table}_create_time", table.c.create_time)
    if nested:
        sa.Index(f"{kind.table}_parent", table.c.tenant_id, table.c.parent, table.c.name)
    for column in kind.columns:
        _index(table, kind, column.name, column.type, unique=column.unique)


def _index(table: sa.Table, kind: Kind, name: str, of: ColumnType, *, unique: bool) -> None:
    column, index = table.c[name], f"{kind.table}_{name}"
    if unique:
        live = sa.and_(table.c.delete_time.is_(None), column != "")
        sa.Index(f"{index}_key", table.c.tenant_id, column, unique=True, postgresql_where=live)
    elif of is ColumnType.TEXT_ARRAY:
        sa.Index(index, column, postgresql_using="gin")
    elif not name.endswith("__currency"):
        sa.Index(index, table.c.tenant_id, column, table.c.entry_id if kind.ledger else table.c.name)


def _ledger(metadata: sa.MetaData, kind: Kind) -> None:
    table = sa.Table(
        kind.table,
        metadata,
        sa.Column("tenant_id", PGUUID(), primary_key=True),
        sa.Column("entry_id", PGUUID(), primary_key=True),
        _time("entry_time"),
        *_columns(kind),
        schema=kind.schema,
        info={"tenant": True, "partner": kind.partner.name if kind.partner else "", "append_only": True},
    )
    for column in kind.columns:
        _index(table, kind, column.name, column.type, unique=False)


def _key(name: str, of: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, of, primary_key=True)


def _must(name: str, of: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, of, nullable=False)


def _kernel_table(metadata: sa.MetaData, name: str, *columns: sa.Column[Any], **info: object) -> sa.Table:
    tenant = _key("tenant_id", PGUUID())
    return sa.Table(name, metadata, tenant, *columns, schema="kernel", info={"tenant": True, **info})


def _kernel_tables(metadata: sa.MetaData) -> None:
    """What a unit of work needs: replays, audit, counters and series."""
    replay = _kernel_table(
        metadata, "replay", _key("principal", PGUUID()), _key("request_id", PGUUID()),
        _must("digest", PGUUID()), sa.Column("response", BYTEA()), _time("expire_time"), relay=True,
    )  # fmt: skip
    sa.Index("replay_expire_time", replay.c.expire_time)
    audit = _kernel_table(
        metadata, "audit", _key("id", PGUUID()), _time("time"), _must("principal", TEXT()),
        _must("method", TEXT()), _must("resources", sa.ARRAY(sa.Text())), _must("outcome", TEXT()),
        _must("digest", PGUUID()), _must("request", BYTEA()), _must("trace", TEXT()), append_only=True,
    )  # fmt: skip
    sa.Index("audit_resources", audit.c.resources, postgresql_using="gin")
    _kernel_table(metadata, "counter", _key("kind", TEXT()), _key("epoch", sa.Integer()), _must("n", sa.BigInteger()))
    _kernel_table(metadata, "series", _key("series", TEXT()), _must("n", sa.BigInteger()))


def _messaging_tables(metadata: sa.MetaData) -> None:
    """What goes out and comes back: the outbox, whose key starts with its bucket, timers and dead letters."""
    outbox = sa.Table(
        "outbox", metadata, _key("bucket", sa.SmallInteger()), _key("tenant_id", PGUUID()),
        _key("aggregate", sa.Text(collation="C")),
        _key("revision", sa.Integer()), _key("n", sa.SmallInteger()), _must("id", PGUUID()), _must("type", TEXT()),
        _must("payload", BYTEA()), _must("trace", TEXT()), _time("time"), schema="kernel", info={"tenant": True, "relay": True},
    )  # fmt: skip
    outbox.info["sql"] = "WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000)"
    sa.Table(
        "outbox_bucket",
        metadata,
        _key("bucket", sa.SmallInteger()),
        _time("last_run"),
        schema="kernel",
        info={"relay_only": True},
    )
    timer = _kernel_table(
        metadata, "timer", _key("id", PGUUID()), _time("due"), _must("request_type", TEXT()),
        _must("request", BYTEA()), _must("attempts", sa.SmallInteger()), _must("trace", TEXT()),
        sa.Column("lane", TEXT(), nullable=False, server_default=""), relay=True,
    )  # fmt: skip
    sa.Index("timer_due", timer.c.due)
    _kernel_table(
        metadata, "dead_letter", _key("id", PGUUID()), _time("time"), _must("method", TEXT()),
        _must("request_type", TEXT()), _must("request", BYTEA()), _must("event", JSONB()), _must("problem", TEXT()),
        _must("attempts", sa.SmallInteger()), relay=True,
    )  # fmt: skip

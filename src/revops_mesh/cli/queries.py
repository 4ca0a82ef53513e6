"""Statements of the operators' tools. `$1` is the tenant and every statement on its rows names it; they run as the owner."""

from revops_mesh.kernel.kinds import PROJECTION, ColumnType, Kind

TENANTS = "SELECT name FROM platform.tenants WHERE tenant_id=$1"
TENANT = "SELECT uid FROM platform.tenants WHERE tenant_id=$1 AND name=$2"

CHANGES = "SELECT method, count(*) AS changes FROM kernel.audit WHERE time>=$1 AND outcome='OK' GROUP BY method"
"""What was changed since `$1`, by method; of all tenants, so without a tenant."""


def size(table: str) -> str:
    """Rows of a table, as PostgreSQL estimates them, and its bytes with indexes; of all tenants."""
    where = f"'{table}'::regclass"
    return (
        "SELECT coalesce(sum(greatest(c.reltuples,pg_stat_get_live_tuples(c.oid))),0)::bigint AS rows,"
        " coalesce(sum(pg_total_relation_size(c.oid)),0)::bigint AS bytes"
        f" FROM pg_class c WHERE c.relkind='r' AND (c.oid={where} OR c.oid IN (SELECT relid FROM pg_partition_tree({where})))"
    )


def some(kind: Kind) -> str:
    """The first `$2` names of a kind."""
    return f"SELECT name FROM {kind.sql} WHERE tenant_id=$1 AND delete_time IS NULL ORDER BY name LIMIT $2"


def one(kind: Kind) -> str:
    """The row of `$2` name, a tombstone too."""
    return f"SELECT body, revision, projection, update_time, delete_time FROM {kind.sql} WHERE tenant_id=$1 AND name=$2"


def tenants(kind: Kind) -> str:
    """The tenants that have rows of a kind; of all tenants, so without `$1`."""
    return f"SELECT DISTINCT tenant_id FROM {kind.sql} ORDER BY tenant_id"


def batch(kind: Kind) -> str:
    """Up to `$4` rows after `$2` name that are of an older projection, or `$3` all."""
    return (
        f"SELECT name, revision, body FROM {kind.sql} WHERE tenant_id=$1 AND name>$2 AND ($3 OR projection<{PROJECTION})"
        " ORDER BY name LIMIT $4"
    )


def project(kind: Kind) -> str:
    """Writes the columns of `$2` names whose revision still is `$3`, one array a column from `$4` on; the revision stays."""
    arrays = [f"${place}::{column.array_type}" for place, column in enumerate(kind.columns, start=4)]
    given = ",".join(["$2::text[]", "$3::int[]", *arrays])
    names = ",".join(["name", "seen", *(column.name for column in kind.columns)])
    columns = "".join(
        f",{column.name}=string_to_array(x.{column.name},chr(31))"
        if column.type is ColumnType.TEXT_ARRAY
        else f",{column.name}=x.{column.name}"
        for column in kind.columns
    )
    return (
        f"UPDATE {kind.sql} t SET projection={PROJECTION}{columns} FROM unnest({given}) AS x({names})"
        " WHERE t.tenant_id=$1 AND t.name=x.name AND t.revision=x.seen"
    )

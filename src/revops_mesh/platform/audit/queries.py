"""Statements over the audit log and the dead letters; `$1` is the tenant. Ids of entries are UUIDv7, so they sort by time."""

_ENTRY = "SELECT id,time,principal,method,resources,outcome,digest,request,trace FROM kernel.audit WHERE tenant_id=$1"

ENTRIES = (
    f"{_ENTRY} AND id<$2 AND ($3='' OR principal=$3) AND ($4='' OR EXISTS"
    " (SELECT FROM unnest(resources) AS x(name) WHERE name=$4 OR starts_with(name,$4||'@')))"
    " ORDER BY id DESC LIMIT $5"
)
"""Newest first: before id `$2`, of principal `$3` and resource `$4` unless empty, at most `$5`."""

TAIL = f"{_ENTRY} AND id>$2 AND id<>ALL($3::uuid[]) AND time>=$4 ORDER BY id LIMIT $5"
"""Oldest first: after id `$2` but for `$3`, from instant `$4` on, at most `$5`."""

_LETTER = "SELECT id,time,method,request_type,problem,attempts FROM kernel.dead_letter WHERE tenant_id=$1"

LETTERS = f"{_LETTER} AND (time,id)<($2::timestamptz,$3::uuid) ORDER BY time DESC,id DESC LIMIT $4"
"""Newest first: before instant `$2` and id `$3`, at most `$4`."""

LETTER = f"{_LETTER} AND id=$2"

"""Statements over the chunks of a file; `$1` is the tenant. They go past the unit's memory, which would keep every chunk."""

CONTENT = (
    "SELECT body FROM platform.file_chunks WHERE tenant_id=$1 AND parent=$2 AND name>=$3 AND delete_time IS NULL"
    " ORDER BY name LIMIT $4"
)
"""States of up to `$4` chunks of the file `$2` from the name `$3` on."""

NAMES = "SELECT name, revision FROM platform.file_chunks WHERE tenant_id=$1 AND parent=$2 AND delete_time IS NULL"
"""Names and revisions of all chunks of the file `$2`."""

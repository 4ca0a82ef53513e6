"""JSON lines to Apache Parquet, a row group at a time, in a thread. Needs pyarrow (`revops-mesh[parquet]`).

Whole numbers are int64, instants timestamps in UTC to the microsecond, dates date32; everything else is text, decimals too.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pyarrow
import pyarrow.json
import pyarrow.parquet
from pyarrow import compute

from .columns import Column, Form

GROUP_ROWS = 20_000
GROUP_BYTES = 16 * 1024 * 1024
"""Of JSON lines: a row group has no more rows, and not many more bytes."""

_TYPES = {
    Form.INTEGER: pyarrow.int64(),
    Form.NUMBER: pyarrow.float64(),
    Form.BOOL: pyarrow.bool_(),
    Form.INSTANT: pyarrow.timestamp("us", tz="UTC"),
    Form.DATE: pyarrow.date32(),
}


_FINER = r"(\.\d{6})\d+Z$"
"""What an instant has below the microsecond."""


class _Sink(io.RawIOBase):
    """A file that is only written, from its beginning to its end, and taken away in between."""

    def __init__(self) -> None:
        self._held, self._written = bytearray(), 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held += data
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written

    def taken(self) -> bytes:
        """What was written since the last time."""
        taken, self._held = bytes(self._held), bytearray()
        return taken


def schema(columns: Sequence[Column]) -> Any:
    """The schema of a table with these columns."""
    return pyarrow.schema([(column.path, _TYPES.get(column.form, pyarrow.string())) for column in columns])


async def converted(columns: Sequence[Column], lines: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    """The bytes of a Parquet file, piece by piece, from bodies of JSON lines with exactly these columns."""
    sink, wanted = _Sink(), schema(columns)
    writer = pyarrow.parquet.ParquetWriter(sink, wanted, compression="zstd")
    held, tables, size = bytearray(), list[Any](), 0
    async for body in lines:
        held += body.data
        whole = held.rfind(b"\n") + 1
        if whole:
            tables.append(await asyncio.to_thread(_table, bytes(held[:whole]), wanted))
            del held[:whole]
            size += whole
        if size >= GROUP_BYTES or sum(table.num_rows for table in tables) >= GROUP_ROWS:
            await asyncio.to_thread(_write, writer, tables)
            yield sink.taken()
            tables, size = [], 0
    await asyncio.to_thread(_write, writer, tables)
    writer.close()
    yield sink.taken()


def _write(writer: Any, tables: Sequence[Any]) -> None:
    if tables:
        writer.write_table(pyarrow.concat_tables(tables), row_group_size=GROUP_ROWS)


def _table(lines: bytes, wanted: Any) -> Any:
    """A table of JSON lines; what is no JSON type is read as text first."""
    texts = [field for field in wanted if field.type in (_TYPES[Form.INSTANT], _TYPES[Form.DATE])]
    read = pyarrow.schema([field.with_type(pyarrow.string()) if field in texts else field for field in wanted])
    table = pyarrow.json.read_json(
        io.BytesIO(lines),
        read_options=pyarrow.json.ReadOptions(block_size=len(lines) + 1, use_threads=False),
        parse_options=pyarrow.json.ParseOptions(explicit_schema=read, unexpected_field_behavior="error"),
    )
    for i, field in enumerate(wanted):
        if field.type == _TYPES[Form.INSTANT]:
            table = table.set_column(i, field.name, compute.replace_substring_regex(table.column(i), _FINER, r"\1Z"))
    return table.cast(wanted)

"""What importing and exporting many resources costs a whole member: rows a second, CPU beside plain calls, and memory.

Memory must not grow with the file: the peak is measured for a file and for one with ten times the rows.
"""

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import uuid4

from google.api.httpbody_pb2 import HttpBody
from google.longrunning import operations_pb2 as standard
from google.protobuf.duration_pb2 import Duration
from revops.catalog.v1 import products_pb2 as products
from revops.platform.v1 import exports_pb2, files_pb2, imports_pb2
from revops.platform.v1 import operations_pb2 as pb

from tests.bench.measure import Line, cpu_seconds
from tests.bench.memory import resident, whole_member
from tests.bench.world import Bench, Headers, Server

QUICK_ROWS, ROWS = 5_000, 100_000
FULL_ROUNDS = 20
TIMES = 10
PLAIN_CALLS = 1_600
PIECE = 256 * 1024
MOST_GROWN = 10.0
"""MB that the peak may be higher with ten times the rows."""
MOST_ADDED = 40.0
"""MB that an import may add to what the member weighs anyway."""
CHEAPEST = 0.8
"""CPU of a plain call against that of an imported row, at least."""
PRODUCTS = "revops.catalog.v1.Product"
PLATFORM = "/revops.platform.v1."

Peak = tuple[float, float]
"""Memory before, and the most that there was at any time, MB."""


async def imports(bench: Bench, rounds: int) -> list[Line]:
    """A small import warms up; then one, one of ten times the size, and exports of what was imported."""
    rows = ROWS if rounds >= FULL_ROUNDS else QUICK_ROWS
    tenant = await bench.world.tenant()
    member, caller = await whole_member(bench), bench.headers(tenant)
    await _imported(member, caller, 200)
    plain = await _plain(member, caller)
    _, few, _ = await _imported(member, caller, rows // TIMES)
    seconds, many, cpu = await _imported(member, caller, rows)
    lines = [
        Line(f"import of {rows:,} rows", f"{rows / seconds:.0f} rows/s  ({seconds:.0f} s)"),
        _at_least("an imported row beside a plain CreateProduct, CPU", plain, cpu / rows),
        Line("memory that importing adds", _told(many), f"≤ {MOST_ADDED:.0f} MB", many[1] - many[0] <= MOST_ADDED),
        Line(
            f"peak of {rows:,} rows against {rows // TIMES:,}", f"{many[1]:.0f} MB against {few[1]:.0f} MB",
            f"≤ {MOST_GROWN:.0f} MB more", many[1] - few[1] <= MOST_GROWN,
        ),
    ]  # fmt: skip
    for form in ("CSV", "JSONL", "PARQUET"):
        seconds, peak, size = await _exported(member, caller, form)
        found = rows + rows // TIMES + 200 + PLAIN_CALLS
        told = f"{found / seconds:.0f} rows/s  ({size / 1e6:.1f} MB in {seconds:.0f} s, {_told(peak)})"
        lines.append(Line(f"export of {found:,} rows as {form}", told))
    return lines


def _told(peak: Peak) -> str:
    return f"{peak[1] - peak[0]:.0f} MB  ({peak[0]:.0f} MB, at most {peak[1]:.0f} MB)"


def _at_least(path: str, plain: float, imported: float) -> Line:
    detail = f"{plain / imported:.2f}  ({plain * 1e6:.0f} µs against {imported * 1e6:.0f} µs)"
    return Line(path, detail, f"≥ {CHEAPEST:.2f}", plain / imported >= CHEAPEST)


async def _plain(member: Server, caller: Headers) -> float:
    """CPU seconds of a plain call."""
    requests = (products.CreateProductRequest(product=_product(n), request_id=str(uuid4())).SerializeToString() for n in count())
    calls = member.variant("creates", "/revops.catalog.v1.ProductService/CreateProduct", requests, caller)
    before = cpu_seconds(member.pid)
    await calls.round(PLAIN_CALLS)
    return (cpu_seconds(member.pid) - before) / PLAIN_CALLS


def _product(number: int) -> products.Product:
    return products.Product(display_name=f"Plain product {number}", sku=f"plain-{number}-{uuid4()}", family="storage")


async def _imported(member: Server, caller: Headers, rows: int) -> tuple[float, Peak, float]:
    """Seconds, memory, and CPU seconds of the member, of an import of so many products."""
    mark = str(uuid4())[:8]
    text = "display_name,sku,family\n" + "".join(f"Product {n} of {mark},{mark}-{n},storage\n" for n in range(rows))
    file = await _uploaded(member, caller, text.encode())
    request = imports_pb2.ImportResourcesRequest(file=file, type=PRODUCTS, format=imports_pb2.ImportResourcesRequest.FORMAT_CSV)
    before, begun, cpu = forget_peak(member.pid), perf_counter(), cpu_seconds(member.pid)
    operation = await _done(member, caller, f"{PLATFORM}ImportService/ImportResources", request)
    told = imports_pb2.ImportResponse()
    if not operation.response.Unpack(told) or (told.created, told.failed) != (rows, 0):
        raise RuntimeError(f"the import did not go well: {operation}")
    return perf_counter() - begun, (before, peak_of(member.pid)), cpu_seconds(member.pid) - cpu


async def _exported(member: Server, caller: Headers, form: str) -> tuple[float, Peak, int]:
    """Seconds, memory and bytes of an export of all products."""
    request = exports_pb2.ExportResourcesRequest(type=PRODUCTS)
    request.format = request.Format.Value(f"FORMAT_{form}")
    before, begun = forget_peak(member.pid), perf_counter()
    operation = await _done(member, caller, f"{PLATFORM}ExportService/ExportResources", request)
    told = exports_pb2.ExportResponse()
    if not operation.response.Unpack(told):
        raise RuntimeError(f"the export did not go well: {operation}")
    return perf_counter() - begun, (before, peak_of(member.pid)), told.size_bytes


async def _uploaded(member: Server, caller: Headers, content: bytes) -> str:
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(content), PIECE):
            yield files_pb2.UploadFileRequest(content=HttpBody(data=content[at : at + PIECE])).SerializeToString()

    call: Any = member.channel.stream_unary(f"{PLATFORM}FileService/UploadFile")
    return str(files_pb2.File.FromString(await call(pieces(), metadata=caller)).name)


async def _done(member: Server, caller: Headers, path: str, request: Any) -> pb.Operation:
    started = await member.ask(path, request, standard.Operation, caller)
    waiting = pb.WaitOperationRequest(name=started.name, timeout=Duration(seconds=10))
    while True:
        operation = await member.ask(f"{PLATFORM}OperationService/WaitOperation", waiting, pb.Operation, caller)
        if operation.done:
            return operation


def forget_peak(pid: int) -> float:
    """Has the kernel count the peak from now on; gives the memory that there is, MB."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return resident(pid)


def peak_of(pid: int) -> float:
    """The most resident memory since then, MB of 1,000,000 bytes."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["VmHWM"].split()[0]) * 1024 / 1e6

"""What the pipeline costs: every stage but the store against a bare handler table, and 300 methods against 3."""

from collections.abc import Iterator
from itertools import repeat

from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh.kernel.names import new_uuid
from tests.bench.measure import Line, at_least, interleave
from tests.bench.world import Bench

CALLS = 640


def ten_lines() -> quotes.Quote:
    """A ten-line quote, 1.3 KB."""
    message = quotes.Quote(account="accounts/acme", currency_code="EUR", display_name="Cloud for a year")
    for i in range(10):
        plan = f"products/compute-{i}/ratePlans/monthly"
        message.lines.add(line_id=f"l{i}", rate_plan=plan, quantity=f"{i + 1}", discount_rate="0.1", description="A line " * 8)
    return message


def quote() -> Iterator[bytes]:
    """The same quote over and over."""
    return repeat(ten_lines().SerializeToString())


async def pipeline(bench: Bench, rounds: int) -> list[Line]:
    """Identity, limits, permission, validation of ten lines, metrics, access line; span not sampled."""
    caller = bench.headers(new_uuid())
    echo, full = await bench.serve("echo"), await bench.serve("pipeline3")
    bare = echo.variant("echo", "/bench/Echo", quote(), caller)
    whole = full.variant("pipeline", "/revops.bench3.v1.EchoService/Echo0", quote(), caller)
    await interleave([(bare, CALLS), (whole, CALLS)], rounds)
    return [at_least("full pipeline, no store, against a bare table", bare, whole, 0.70)]


async def methods(bench: Bench, rounds: int) -> list[Line]:
    """The dispatch table is flat in the number of methods."""
    caller = bench.headers(new_uuid())
    few, many = await bench.serve("pipeline3"), await bench.serve("pipeline300")
    three = few.variant("3 methods", "/revops.bench3.v1.EchoService/Echo2", quote(), caller)
    three_hundred = many.variant("300 methods", "/revops.bench300.v1.EchoService/Echo299", quote(), caller)
    await interleave([(three, CALLS), (three_hundred, CALLS)], rounds)
    return [at_least("300 registered methods against 3", three, three_hundred, 0.97)]

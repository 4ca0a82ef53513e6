"""Logs are lines of JSON with the trace of their call, and tell no secret."""

import asyncio
import json
import logging
import os
from time import monotonic
from uuid import uuid4

import grpc
import pytest
from revops.catalog.v1 import products_pb2 as pb

from revops_mesh.kernel.observe import AccessLine
from revops_mesh.runtime.keys import DevelopmentIssuer
from revops_mesh.runtime.logs import FLUSH_BYTES, AccessLog, JsonHandler, Sink
from tests.runtime.calling import Client, member_process
from tests.world import World

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
LINE = AccessLine("2026-01-01T00:00:00+00:00", "info", "rpc", "a.b.C", "OK", 0.001, "t", "users/anna", "ipv4:127.0.0.1:1", "")


async def test_calls_are_logged_with_their_outcome_and_without_token_or_request(
    environ: dict[str, str], world: World, issuer: DevelopmentIssuer
) -> None:
    tenant = await world.tenant()
    token, hidden = issuer.issue("users/anna", tenant, ["admin"]), f"hidden{uuid4().hex}"
    with member_process(environ, REVOPS_LOG_LEVEL="DEBUG") as running:
        async with grpc.aio.insecure_channel(running.address) as channel:
            anna = Client(channel, token, traceparent=TRACE)
            await anna(pb.CreateProductRequest(product=pb.Product(display_name="Vault", description=hidden)))
            await anna.refusal(anna(pb.GetProductRequest(name="products/none")))
            forged = Client(channel, f"{token[:-4]}AAAA", traceparent=TRACE)
            await forged.refusal(forged(pb.GetProductRequest(name="products/none")))
            stranger = Client(channel, f"rk_{tenant.hex}_key_{hidden}")
            await stranger.refusal(stranger(pb.GetProductRequest(name="products/none")))
        await asyncio.to_thread(running.stop)
    calls = [each for each in running.records() if each["message"] == "rpc"]
    assert [(each["outcome"], each["level"]) for each in calls] == [
        ("OK", "info"),
        ("RESOURCE_NOT_FOUND", "warning"),
        ("CREDENTIALS_INVALID", "warning"),
        ("CREDENTIALS_INVALID", "warning"),
    ]
    assert {each["trace"] for each in calls[:3]} == {TRACE}
    assert (calls[0]["tenant"], calls[0]["principal"]) == (tenant.hex, "users/anna")
    for line in running.lines:
        for secret in (*token.split("."), hidden, environ["REVOPS_PAGE_TOKEN_SECRETS"], "authorization"):
            assert secret not in line


def test_quiet_logs_leave_answered_calls_out() -> None:
    read, write = os.pipe()
    sink = Sink(write)
    log = AccessLog(sink, quiet=True)
    log(LINE)
    log.flush()
    sink.close()
    os.close(write)
    assert lines_of(read) == []


def lines_of(descriptor: int) -> list[dict[str, object]]:
    with open(descriptor, "rb") as file:
        return [json.loads(line) for line in file]


async def test_access_lines_are_written_by_size_and_by_time() -> None:
    read, write = os.pipe()
    os.set_blocking(read, False)
    sink = Sink(write)
    log = AccessLog(sink)
    log(LINE)
    with pytest.raises(BlockingIOError):
        os.read(read, 1)
    await asyncio.sleep(0.15)
    assert os.read(read, 100_000).count(b"\n") == 1
    for _ in range(FLUSH_BYTES // 200):
        log(LINE)
    deadline = monotonic() + 2
    while monotonic() < deadline:  # without the loop ever turning
        try:
            assert os.read(read, 1 << 20)
            break
        except BlockingIOError:
            continue
    log.flush()
    sink.close()


def test_a_reader_that_is_stuck_stops_nothing_and_what_is_dropped_is_counted() -> None:
    read, write = os.pipe()
    sink = Sink(write)
    begun = monotonic()
    for _ in range(12_000):
        sink.put(b"x" * 100 + b"\n")
    sink.close()
    assert monotonic() - begun < 4
    assert sink.dropped > 1000
    os.close(read)


def test_a_line_tells_its_trace_and_stack_and_hides_credentials() -> None:
    read, write = os.pipe()
    sink, log = Sink(write), logging.getLogger("tests.runtime.logs")
    log.propagate, log.handlers = False, [JsonHandler(sink, lambda: TRACE)]
    token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
    try:
        raise ValueError(f"cannot use postgresql://app:pa55word@db/revops with {token}")
    except ValueError:
        log.exception("header %r and key %s, line\nbreak", "authorization: Bearer s3cret", "rk_0f_key_v3ry")
    log.handlers = []
    sink.close()
    os.close(write)
    (line,) = lines_of(read)
    assert (line["trace"], line["level"], line["logger"]) == (TRACE, "error", "tests.runtime.logs")
    assert "line\nbreak" in str(line["message"])
    assert "ValueError: cannot use postgresql://***@db/revops with ***" in str(line["error"])
    for secret in ("pa55word", "c2lnbmF0dXJl", "s3cret", "v3ry"):
        assert secret not in json.dumps(line)

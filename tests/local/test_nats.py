"""The embedded NATS on a real server: persistent, killed, crowded out, by another user."""

import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats
import pytest
from nats.js import JetStreamContext

from revops_mesh.local.binaries import find_nats
from revops_mesh.local.errors import LocalError
from revops_mesh.local.nats import Nats
from tests.local.conftest import Script
from tests.local.watching import has_ended


@asynccontextmanager
async def jetstream(server: Nats) -> AsyncIterator[JetStreamContext]:
    client = await nats.connect(server.url, allow_reconnect=False)
    try:
        yield client.jetstream()
    finally:
        await client.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Nats]:
    """Durable and not yet started; stopped at the end."""
    server = Nats(tmp_path / "nats")
    yield server
    server.stop()


async def test_what_was_acknowledged_survives_a_kill_on_the_same_port(server: Nats) -> None:
    server.start()
    port = server.port
    async with jetstream(server) as stream:
        await stream.add_stream(name="events", subjects=["events.>"])
        await stream.publish("events.one", b"1", headers={"Nats-Msg-Id": "first"})
        server.kill()
    assert (server.running, server.returncode) == (False, -signal.SIGKILL)
    server.start()
    assert server.port == port
    async with jetstream(server) as stream:
        assert (await stream.get_msg("events", 1)).data == b"1"
        again = await stream.publish("events.one", b"1", headers={"Nats-Msg-Id": "first"})
        assert again.duplicate


async def test_settings_reach_the_server_and_its_jetstream(tmp_path: Path) -> None:
    limits = {"max_payload": "2000", "jetstream.max_file": "3MB"}
    with Nats(tmp_path / "nats", durable=False, settings=limits) as server:
        client = await nats.connect(server.url)
        assert client.max_payload == 2000
        with pytest.raises(nats.js.errors.APIError, match="insufficient storage"):
            await client.jetstream().add_stream(name="big", subjects=["big"], max_bytes=4 * 1024 * 1024)
        await client.close()


@pytest.mark.parametrize(("durable", "written"), [(True, True), (False, False)])
def test_only_a_durable_server_syncs_every_message(tmp_path: Path, durable: bool, written: bool) -> None:
    with Nats(tmp_path / "nats", durable=durable) as server:
        assert ("sync_interval: always" in (server.data_dir / "nats.conf").read_text()) is written


def test_an_unknown_setting_is_named(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"NATS did not start: .*max_paiload"):
        Nats(tmp_path / "nats", settings={"max_paiload": "1MB"}).start()


def test_a_taken_port_is_refused_with_its_number_and_holder(tmp_path: Path, server: Nats) -> None:
    server.start()
    with pytest.raises(LocalError, match=rf"port {server.port} for NATS is taken by nats-server \(pid {server.pid}\)"):
        Nats(tmp_path / "other", port=server.port).start()


def test_a_directory_in_use_is_refused_even_on_another_port(server: Nats) -> None:
    server.start()
    with pytest.raises(LocalError, match=f"{server.data_dir} is in use by another NATS"):
        Nats(server.data_dir).start()
    assert server.running


def test_a_directory_that_may_not_be_written_is_named() -> None:
    with pytest.raises(LocalError, match="cannot use /proc/1/nats for NATS: "):
        Nats(Path("/proc/1/nats")).start()


def test_stop_is_clean_and_can_be_repeated(server: Nats) -> None:
    server.start()
    server.stop()
    server.stop()
    assert server.returncode is not None
    with pytest.raises(LocalError, match="is not running"):
        _ = server.pid
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))


def test_starting_twice_is_refused(server: Nats) -> None:
    server.start()
    with pytest.raises(LocalError, match=f"already running as pid {server.pid}"):
        server.start()


def test_a_normal_user_gets_a_server_of_their_own(normal_user: Callable[[str], str]) -> None:
    # An interpreter outside of this environment does not find the program by itself.
    printed = normal_user(f"""
        import os
        from pathlib import Path
        from revops_mesh.local.nats import Nats
        os.environ["REVOPS_NATS_BIN"] = {str(find_nats())!r}
        with Nats(Path("nats")) as server:
            print(os.getuid() != 0, Path(f"/proc/{{server.pid}}").stat().st_uid == os.getuid())
    """)
    assert printed.split() == ["True", "True"]


async def test_a_server_dies_with_its_parent_and_the_next_takes_over_at_once(tmp_path: Path, script: Script) -> None:
    parent = script(f"""
        import threading, time
        from pathlib import Path
        from revops_mesh.local.nats import Nats
        server = Nats(Path({str(tmp_path)!r}) / "nats")
        starter = threading.Thread(target=server.start)
        starter.start()
        starter.join()
        time.sleep(0.2)
        print(server.pid, server.port, flush=True)
        time.sleep(60)
    """)
    assert parent.stdout is not None
    pid, port = map(int, parent.stdout.readline().split())
    assert not has_ended(pid)
    os.kill(parent.pid, signal.SIGKILL)
    with Nats(tmp_path / "nats", port=port) as next_server:
        assert has_ended(pid)
        async with jetstream(next_server) as stream:
            assert (await stream.account_info()).streams == 0

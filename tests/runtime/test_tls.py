"""TLS, mutual TLS, and a certificate that is renewed while the member serves."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from revops.catalog.v1 import products_pb2 as pb

from revops_mesh.runtime.keys import DevelopmentIssuer
from tests.mesh.authorities import Authority, written
from tests.runtime.calling import Client, Running, member_process
from tests.world import World

CREATE = pb.CreateProductRequest(product=pb.Product(display_name="Vault"))


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@pytest.fixture
def secured(environ: dict[str, str], authority: Authority, tmp_path: Path) -> Iterator[Running]:
    """A member with mutual TLS."""
    authority.issue("server")
    files = {"CERT": "server.pem", "KEY": "server.key", "CLIENT_CA": "authority.pem"}
    with member_process(environ, **{f"REVOPS_TLS_{name}": str(tmp_path / file) for name, file in files.items()}) as running:
        yield running


def channel(running: Running, roots: bytes, pair: tuple[bytes, bytes] | None) -> grpc.aio.Channel:
    cert, key = pair or (None, None)
    port = running.address.rpartition(":")[2]
    return grpc.aio.secure_channel(f"localhost:{port}", grpc.ssl_channel_credentials(roots, key, cert))


async def test_only_clients_of_the_authority_are_let_in(
    secured: Running, authority: Authority, world: World, issuer: DevelopmentIssuer, tmp_path: Path
) -> None:
    token = issuer.issue("users/anna", await world.tenant(), ["admin"])
    async with channel(secured, authority.pem, authority.issue("client")) as known:
        assert (await Client(known, token)(CREATE)).name
    (tmp_path / "other").mkdir()
    for pair in (None, Authority(tmp_path / "other", "stranger").issue("client")):
        async with channel(secured, authority.pem, pair) as stranger:
            anna = Client(stranger, token)
            assert (await anna.refusal(anna(CREATE, timeout=5))).code == grpc.StatusCode.UNAVAILABLE
    async with grpc.aio.insecure_channel(secured.address) as plain:
        anna = Client(plain, token)
        assert (await anna.refusal(anna(CREATE, timeout=5))).code == grpc.StatusCode.UNAVAILABLE


def shown(running: Running, tmp_path: Path) -> str:
    """The certificate that the server shows at a handshake."""
    context = ssl.create_default_context(cafile=tmp_path / "authority.pem")
    context.load_cert_chain(tmp_path / "client.pem", tmp_path / "client.key")
    context.set_alpn_protocols(["h2"])
    host, _, port = running.address.rpartition(":")
    with context.wrap_socket(socket.create_connection((host, int(port)), timeout=5), server_hostname="localhost") as secure:
        return ssl.DER_cert_to_PEM_cert(secure.getpeercert(binary_form=True) or b"")


async def test_a_renewed_certificate_is_shown_at_the_next_handshake_and_open_connections_stay(
    secured: Running, authority: Authority, world: World, issuer: DevelopmentIssuer, tmp_path: Path
) -> None:
    token = issuer.issue("users/anna", await world.tenant(), ["admin"])
    async with channel(secured, authority.pem, authority.issue("client")) as opened:
        anna = Client(opened, token)
        await anna(CREATE)
        before = shown(secured, tmp_path)
        authority.issue("server")
        assert shown(secured, tmp_path) != before
        assert (await anna(CREATE)).name


@pytest.mark.parametrize("spoiled", ["server.pem", "server.key", "authority.pem"])
async def test_a_half_written_file_changes_nothing(
    secured: Running, authority: Authority, world: World, issuer: DevelopmentIssuer, tmp_path: Path, spoiled: str
) -> None:
    token, pair, roots = issuer.issue("users/anna", await world.tenant(), ["admin"]), authority.issue("client"), authority.pem
    before = shown(secured, tmp_path)
    whole = (tmp_path / spoiled).read_bytes()
    for content in (whole[:100], b"", b"nonsense"):
        (tmp_path / spoiled).write_bytes(content)
        async with channel(secured, roots, pair) as opened:
            assert (await Client(opened, token)(CREATE)).name
    (tmp_path / spoiled).write_bytes(whole)
    authority.issue("server")
    assert shown(secured, tmp_path) != before


async def test_a_renewed_authority_lets_in_whom_it_signed_and_nobody_else(
    secured: Running, authority: Authority, world: World, issuer: DevelopmentIssuer, tmp_path: Path
) -> None:
    token, pair = issuer.issue("users/anna", await world.tenant(), ["admin"]), authority.issue("client")
    (tmp_path / "next").mkdir()
    new = Authority(tmp_path / "next", "authority")
    roots = authority.pem + new.pem
    for trusted, outcomes in ((roots, (True, True)), (new.pem, (False, True))):
        written(tmp_path / "authority.pem", trusted)
        for its, let_in in zip((pair, new.issue("client")), outcomes, strict=True):
            async with channel(secured, roots, its) as opened:
                anna = Client(opened, token)
                if let_in:
                    assert (await anna(CREATE)).name
                else:
                    assert (await anna.refusal(anna(CREATE, timeout=5))).code == grpc.StatusCode.UNAVAILABLE

"""The clients over mutual TLS: with a certificate of the member's authority they are let in, without they are not."""

from pathlib import Path

import grpc
import pytest
from revops_client import Revops, RevopsError
from revops_client.catalog.v1 import ListProductsRequest

from tests.clients.conftest import NewToken
from tests.clients.typescript import Project
from tests.runtime.calling import Running
from tests.runtime.test_tls import Authority, authority, secured

__all__ = ["authority", "secured"]

TYPESCRIPT = """\
import { readFileSync } from "node:fs";
import { connect } from "@revops/client";

const [baseUrl = "", token = "", folder = ""] = process.argv.slice(2);
const [ca, cert, key] = ["authority.pem", "client.pem", "client.key"].map((name) => readFileSync(`${folder}/${name}`));
for (const tls of [{ ca, cert, key }, { ca }]) {
  const revops = connect({ baseUrl, token, tls: tls as { ca: Buffer } });
  const told = revops.catalog.products.listProducts({}, { timeoutMs: 1500 });
  console.log(await told.then((page) => page.products.length, () => "refused"));
  revops.close();
}
"""


def target(running: Running) -> str:
    return f"localhost:{running.address.rpartition(':')[2]}"


async def test_the_python_client(secured: Running, authority: Authority, token: NewToken) -> None:
    certificate, key = authority.issue("client")
    known = grpc.ssl_channel_credentials(authority.pem, key, certificate)
    async with Revops(target(secured), await token(), credentials=known) as revops:
        assert (await revops.catalog.products.list_products(ListProductsRequest())).products == []
    unknown = grpc.ssl_channel_credentials(authority.pem)
    async with Revops(target(secured), await token(), credentials=unknown) as revops:
        with pytest.raises(RevopsError):
            await revops.catalog.products.list_products(ListProductsRequest(), timeout=1.5)


async def test_the_typescript_client(secured: Running, authority: Authority, token: NewToken, tmp_path: Path) -> None:
    authority.issue("client")
    project = Project(tmp_path / "project")
    project.compile(secure=TYPESCRIPT)
    written = await project.output("secure", f"https://{target(secured)}", await token(), str(tmp_path))
    assert written.split() == ["0", "refused"]

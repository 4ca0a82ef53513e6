"""The wheel of the Python client works by itself: without the member's code, its messages and Google's protobuf."""

import os
import subprocess
import sys
import zipfile
from asyncio import to_thread
from pathlib import Path

from tests.clients.conftest import NewToken
from tests.runtime.calling import Running

ROOT = Path(__file__).parents[2]
PROGRAM = """\
import asyncio, sys
from revops_client import Revops, RevopsError
from revops_client.catalog.v1 import GetProductRequest, ListProductsRequest

async def main(address, token):
    async with Revops(address, token) as revops:
        print(len((await revops.catalog.products.list_products(ListProductsRequest())).products))
        try:
            await revops.catalog.products.get_product(GetProductRequest(name="products/none"))
        except RevopsError as error:
            print(error.reason)

asyncio.run(main(*sys.argv[1:]))
print(sys.modules["revops_client"].__file__)
print([name for name in sys.modules if name.split(".")[0] in ("revops", "revops_mesh") or name.startswith("google.protobuf")])
"""


async def test_the_wheel_needs_nothing_of_the_member(tmp_path: Path, serving: Running, token: NewToken) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", tmp_path]
    await to_thread(subprocess.run, [*build, ROOT / "deploy" / "revops_client"], check=True, stdout=subprocess.DEVNULL)
    (wheel,) = tmp_path.glob("revops_client-*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    command = [sys.executable, "-c", PROGRAM, serving.address, await token()]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    done = await to_thread(subprocess.run, command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    products, reason, where, foreign = done.stdout.splitlines()
    assert (products, reason, foreign) == ("0", "RESOURCE_NOT_FOUND", "[]")
    assert where.startswith(str(tmp_path))

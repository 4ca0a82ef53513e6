"""The TypeScript client in tests: a project that depends on the built package, as a user's would."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from revops_mesh.contracts.node import node, run_node
from revops_mesh.contracts.typescript_client import COMPILER, build_package
from revops_mesh.contracts.workspace import Missing, Workspace
from tests.clients.drivers import Driver, ErrorInfo, Json

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SETTINGS = {
    "compilerOptions": {"target": "es2022", "lib": ["es2023", "dom"], "module": "nodenext", "strict": True, "types": ["node"]}
}


class Project:
    """A folder in which the package and all that it depends on are installed."""

    def __init__(self, folder: Path) -> None:
        try:
            package = build_package(Workspace(ROOT))
        except Missing as missing:
            pytest.skip(f"TypeScript: {missing}")
        self.folder, installed = folder, folder / "node_modules"
        (installed / "@revops").mkdir(parents=True)
        for path in (package / "node_modules").iterdir():
            (installed / path.name).symlink_to(path)
        (installed / "@revops" / "client").symlink_to(package)
        (folder / "package.json").write_text('{"type": "module"}')
        (folder / "tsconfig.json").write_text(json.dumps(SETTINGS))

    def compile(self, **sources: str) -> None:
        """Checks and compiles modules by name; raises `Refused` with what the compiler says."""
        for name, source in sources.items():
            (self.folder / f"{name}.ts").write_text(source)
        run_node([str(self.folder / COMPILER)], self.folder)

    async def started(self, module: str, *arguments: str, **options: int) -> asyncio.subprocess.Process:
        """A compiled module, running."""
        return await asyncio.create_subprocess_exec(str(node()), f"{module}.js", *arguments, cwd=self.folder, **options)

    async def output(self, module: str, *arguments: str) -> str:
        """What a compiled module writes; fails with what it complains of."""
        process = await self.started(module, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        written, complained = await process.communicate()
        assert process.returncode == 0, complained.decode()
        return written.decode()


class TypescriptDriver:
    """The TypeScript client in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout

    async def call(self, method: str, request: Json, headers: Mapping[str, str]) -> Json | ErrorInfo:
        headers = dict(headers)
        token = headers.pop("authorization", "").removeprefix("Bearer ")
        line = json.dumps({"method": method, "request": request, "token": token, "headers": headers})
        self._in.write(f"{line}\n".encode())
        told = json.loads(await self._out.readline())
        if (refusal := told.get("refusal")) is None:
            answer: Json = told["answer"]
            return answer
        code = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", refusal.pop("code")).upper()
        return ErrorInfo(code, violations=tuple(map(tuple, refusal.pop("violations"))), **refusal)


@asynccontextmanager
async def typescript_driver(address: str, folder: Path) -> AsyncIterator[Driver]:
    """The TypeScript client, built and connected."""
    project = Project(folder)
    project.compile(driver=(HERE / "driver.ts").read_text())
    pipe = asyncio.subprocess.PIPE
    process = await project.started("driver", f"http://{address}", stdin=pipe, stdout=pipe, limit=1 << 22)
    try:
        yield TypescriptDriver(process)
        assert process.stdin is not None
        process.stdin.close()
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

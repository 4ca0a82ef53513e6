"""`python -m revops_mesh.contracts <command>…`: runs commands in order and stops at the first that refuses.

Exit status: 0 if all is well, 1 if the contract or a derived file is refused, 2 if a command is unknown.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from revops_mesh.contracts import buf, checks, openapi, outputs, policy_diff, reference
from revops_mesh.contracts.context_map import filled
from revops_mesh.contracts.go_client import go_client
from revops_mesh.contracts.model import OURS, Contract, descriptors, read
from revops_mesh.contracts.protoc import Compiled, compile_image, compile_python
from revops_mesh.contracts.python_client import python_client
from revops_mesh.contracts.typescript_client import ROOT as TYPESCRIPT
from revops_mesh.contracts.typescript_client import build_package, typescript_client
from revops_mesh.contracts.workspace import CONTEXT_MAP, REFERENCE, Missing, Refused, Workspace

KEPT = ("released.binpb",)
"""What stands in `generated/` and does not follow from the present contracts."""


class Session:
    """The commands on one checkout; the contracts are compiled once, when first needed. Each returns its result."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._compiled: Compiled | None = None
        self._left_out = ""

    def format(self) -> str:
        """Format protos/ in place."""
        self._compiled = None
        buf.rewrite_format(self._workspace)
        return f"{len(self._workspace.proto_files())} files"

    def lint(self) -> str:
        """Check the format and the rules of buf.yaml."""
        buf.check_format(self._workspace)
        compiled = self._compile()
        if compiled.warnings:
            raise Refused("protoc warns", compiled.warnings)
        buf.lint(self._workspace, compiled.image)
        return f"{len(self._workspace.proto_files())} files"

    def check_contract(self) -> str:
        """Check the rules that buf cannot know: policies, permissions, events, reasons, storage."""
        contract = self._contract()
        if found := checks.problems(contract):
            raise Refused("the contract breaks a rule of ours", found)
        return f"{len(contract.methods)} methods, {len(contract.messages)} messages, {len(contract.events)} events"

    def breaking(self) -> str:
        """Compare types, names and numbers with the released image."""
        if not self._workspace.released.exists():
            return "nothing released yet, nothing to compare with"
        buf.breaking(self._workspace, self._compile().image)
        return "nothing that was released breaks"

    def policy_diff(self) -> str:
        """Compare options with the released image; each change needs a line in CHANGELOG.md."""
        if not self._workspace.released.exists():
            return "nothing released yet, nothing to compare with"
        changed = policy_diff.changes(self._contract(), read(self._workspace.released.read_bytes()))
        changelog = self._workspace.changelog
        text = changelog.read_text() if changelog.exists() else ""
        if missing := policy_diff.unannounced(changed, text):
            title = "changed options that no line below the unreleased heading of CHANGELOG.md names"
            raise Refused(title, [str(change) for change in missing])
        return f"{len(changed)} changed options, all announced"

    def generate(self) -> str:
        """Write generated/."""
        expected = self._generated()
        changed = outputs.write(self._workspace.generated, expected, KEPT)
        return f"{len(expected)} files, {changed} changed{self._left_out}"

    def docs(self) -> str:
        """Write docs/reference/ and the tables of docs/context-map.md."""
        expected = self._pages()
        changed = outputs.write(self._workspace.docs, expected, self._workspace.pages_by_hand())
        return f"{len(expected)} pages, {changed} changed"

    def current(self) -> str:
        """Prove that generated/ and the pages made from the contracts are what the contracts say."""
        generated, pages = self._generated(), self._pages()
        wrong = outputs.differences(self._workspace.generated, generated, KEPT)
        wrong += outputs.differences(self._workspace.docs, pages, self._workspace.pages_by_hand())
        if wrong:
            raise Refused("derived files are not current: run `make proto`", wrong)
        return f"{len(generated) + len(pages)} files are what the contracts say{self._left_out}"

    def release(self) -> str:
        """Make the present contracts the released ones, for later comparisons."""
        self.breaking()
        self.policy_diff()
        image = FileDescriptorSet.FromString(self._compile().image)
        for file in image.file:
            file.ClearField("source_code_info")
        self._workspace.released.parent.mkdir(exist_ok=True)
        self._workspace.released.write_bytes(image.SerializeToString(deterministic=True))
        ours = sum(file.name.startswith(OURS) for file in image.file)
        return f"{ours} files are now the released contract"

    def typescript_client(self) -> str:
        """Build the npm package of the TypeScript client."""
        return self._built(build_package(self._workspace))

    def go_client(self) -> str:
        """Make the module of the Go client, if Go is installed."""
        return self._built(go_client(self._workspace, self._compile().image))

    def _built(self, folder: Path) -> str:
        return folder.relative_to(self._workspace.root).as_posix()

    def _compile(self) -> Compiled:
        if self._compiled is None:
            self._compiled = compile_image(self._workspace)
        return self._compiled

    def _contract(self) -> Contract:
        return read(self._compile().image)

    def _pages(self) -> dict[str, bytes]:
        """What stands in docs/ and follows from the contracts, wholly or in its tables."""
        contract, context_map = self._contract(), self._workspace.docs / CONTEXT_MAP
        pages = {f"{REFERENCE}/{name}": page for name, page in reference.pages(contract).items()}
        if context_map.exists():
            pages[CONTEXT_MAP] = filled(context_map.read_text(), contract).encode()
        return pages

    def _generated(self) -> dict[str, bytes]:
        image = self._compile().image
        python = compile_python(self._workspace) | python_client(image)
        document = openapi.document(self._contract(), descriptors(image))
        return python | self._typescript(image) | {"contract.binpb": image, openapi.PATH: document}

    def _typescript(self, image: bytes) -> dict[str, bytes]:
        """The generated TypeScript; as it stands, and said so, where it cannot be generated."""
        if not self._workspace.typescript.exists():
            return {}
        try:
            return typescript_client(self._workspace, image)
        except Missing as missing:
            self._left_out = f"; TypeScript was skipped: {missing}"
            generated = self._workspace.generated
            standing = sorted(path for path in (generated / TYPESCRIPT).rglob("*") if path.is_file())
            return {path.relative_to(generated).as_posix(): path.read_bytes() for path in standing}


def main(arguments: list[str], root: Path) -> int:
    """Runs the named commands on the checkout at `root`; returns the exit status."""
    session = Session(Workspace(root))
    commands: dict[str, Callable[[], str]] = {
        "format": session.format,
        "lint": session.lint,
        "check-contract": session.check_contract,
        "breaking": session.breaking,
        "policy-diff": session.policy_diff,
        "generate": session.generate,
        "docs": session.docs,
        "current": session.current,
        "release": session.release,
        "typescript-client": session.typescript_client,
        "go-client": session.go_client,
    }
    described = "\n".join(f"  {name:<19}{command.__doc__}" for name, command in commands.items())
    parser = argparse.ArgumentParser(
        prog="python -m revops_mesh.contracts",
        description="The contract toolchain.\n\n" + described,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("commands", nargs="+", choices=commands, metavar="command")
    for name in parser.parse_args(arguments).commands:
        try:
            print(f"{name}: {commands[name]()}", flush=True)
        except (Refused, Missing) as refusal:
            print(f"{name}: {refusal}", file=sys.stderr, flush=True)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path.cwd()))

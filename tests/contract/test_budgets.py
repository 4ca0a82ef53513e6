"""The house's budgets and names, which no linter knows: sizes of files, functions and rooms, and who may do what."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "revops_mesh"
CLIENT = ROOT / "src" / "revops_rpc"
SOURCES = sorted(path for root in (PACKAGE, CLIENT) for path in root.rglob("*.py") if path.parent.name != "versions")
"""Everything but migrations, which are generated and never edited once they have run."""
TESTS = sorted((ROOT / "tests").rglob("*.py"))

FILE_LINES = 300
FUNCTION_LINES = 40
ROOM_LINES = {
    "kernel": 2400,
    "identity": 310,
    "aip": 650,
    "messaging": 740,
    "operations": 300,
    "runtime": 1180,
    "numbers": 300,
    "rules": 450,
}
"""Lines of code, without blank lines, comments and docstrings (decision 6)."""
VOCABULARY_LINES = 250

SAYS_NOTHING = re.compile(r"(utils?|helpers?|common|base|misc|managers?)")
EMPTY_FUNCTION = re.compile(r"_*(process|handle|do)_.*")
EMPTY_CLASS = re.compile(r".*(Impl|Manager|Helper|Utils?)")

CLOCKS = {"datetime": {"now", "utcnow", "today"}, "date": {"today"}, "time": {"time", "time_ns"}}


def where(path: Path, node: ast.AST | None = None) -> str:
    line = f":{node.lineno}" if node is not None and hasattr(node, "lineno") else ""
    return f"{path.relative_to(ROOT)}{line}"


def lines_of(path: Path) -> int:
    return len(path.read_text().splitlines())


def code_lines_of(path: Path) -> int:
    """Lines that are neither blank nor comment nor docstring."""
    text = path.read_text()
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            docstrings |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = enumerate(text.splitlines(), 1)
    return sum(1 for n, line in lines if line.strip() and not line.strip().startswith("#") and n not in docstrings)


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(), str(path)))


def function_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of code: from `def` to the end, without the docstring, which may be as long as it is useful."""
    total = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function) is None:
        return total
    docstring = function.body[0]
    return total - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def called(node: ast.AST) -> tuple[str, str]:
    """Last name before the dot and name of what is called, as in `("datetime", "now")`; empty if it is no call."""
    if not isinstance(node, ast.Call):
        return "", ""
    match node.func:
        case ast.Name(id=name):
            return "", name
        case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name):
            return owner, name
        case ast.Attribute(attr=name):
            return "?", name
    return "", ""


def test_no_file_is_longer_than_its_budget() -> None:
    long = [f"{where(path)}: {lines_of(path)} lines" for path in SOURCES + TESTS if lines_of(path) > FILE_LINES]
    assert not long, f"files over {FILE_LINES} lines; split by idea:\n" + "\n".join(long)


def test_no_function_is_longer_than_its_budget() -> None:
    long = [
        f"{where(path, node)}: {node.name} has {function_lines(node)} lines"
        for path in SOURCES + TESTS
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and function_lines(node) > FUNCTION_LINES
    ]
    assert not long, f"functions over {FUNCTION_LINES} lines:\n" + "\n".join(long)


@pytest.mark.parametrize(("room", "budget"), ROOM_LINES.items())
def test_a_room_keeps_its_budget(room: str, budget: int) -> None:
    total = sum(code_lines_of(path) for path in (PACKAGE / room).rglob("*.py"))
    assert total <= budget, f"{room}/ has {total} lines of code, {total - budget} too many"


def test_the_vocabulary_keeps_its_budget() -> None:
    assert lines_of(ROOT / "protos/revops/options/v1/options.proto") <= VOCABULARY_LINES


def test_every_name_says_something() -> None:
    empty = [where(path) for path in SOURCES + TESTS if any(SAYS_NOTHING.fullmatch(p) for p in names_in(path))]
    for path in SOURCES:
        for node in nodes(path):
            if isinstance(node, ast.ClassDef) and EMPTY_CLASS.fullmatch(node.name):
                empty.append(f"{where(path, node)}: class {node.name}")
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and EMPTY_FUNCTION.fullmatch(node.name):
                empty.append(f"{where(path, node)}: def {node.name}")
    assert not empty, "names that say nothing:\n" + "\n".join(empty)


def names_in(path: Path) -> list[str]:
    return list(path.relative_to(ROOT).with_suffix("").parts)


def test_only_the_clock_reads_the_time() -> None:
    found = [
        f"{where(path, node)}: {owner}.{name}()"
        for path in SOURCES
        if path != PACKAGE / "kernel" / "clock.py"
        for node in nodes(path)
        for owner, name in [called(node)]
        if name in CLOCKS.get(owner, ())
    ]
    assert not found, "the time of business is `now` of kernel/clock.py:\n" + "\n".join(found)


def test_only_the_unit_of_work_commits() -> None:
    found = [
        where(path, node)
        for path in SOURCES
        if path.name not in ("unit.py", "transaction.py") or path.parent != PACKAGE / "kernel"
        for node in nodes(path)
        if called(node)[1] == "commit"
    ]
    assert not found, "transactions end in kernel/unit.py:\n" + "\n".join(found)


def test_only_the_kernel_and_queries_select() -> None:
    found = [
        where(path, node)
        for path in SOURCES
        if PACKAGE / "kernel" not in path.parents and path.name != "queries.py"
        for node in nodes(path)
        if called(node) in {("", "select"), ("sa", "select"), ("sqlalchemy", "select")}
    ]
    assert not found, "statements belong in the kernel or in a queries.py:\n" + "\n".join(found)


def test_nothing_swallows_an_exception() -> None:
    found = [
        where(path, node)
        for path in SOURCES
        for node in nodes(path)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}))
        and all(isinstance(step, ast.Pass | ast.Continue) for step in node.body)
    ]
    assert not found, "an exception that nobody hears of:\n" + "\n".join(found)

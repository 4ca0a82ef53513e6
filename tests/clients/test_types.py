"""Type checkers catch a wrong request to the Python client, and let a right one pass."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RIGHT = """\
from revops_client import Revops, RevopsError
from revops_client.quoting.v1 import CreateQuoteRequest, GetQuoteRequest, ListQuotesRequest, Quote, QuoteReason, QuoteState


async def right(revops: Revops) -> list[str]:
    quotes = revops.quoting.quotes
    quote = await quotes.create_quote(CreateQuoteRequest(quote=Quote(account="accounts/a", term_months=12)), timeout=3)
    try:
        await quotes.get_quote(GetQuoteRequest(name=quote.name), metadata={"traceparent": ""})
    except RevopsError as error:
        print(error.because(QuoteReason.QUOTE_STATE), error.retry_after)
    page = await quotes.list_quotes(ListQuotesRequest())
    return [q.name for q in page.quotes] + [q.name async for q in quotes.list_quotes(ListQuotesRequest())]


async def wrong(revops: Revops, quote: Quote) -> None:
    quotes = revops.quoting.quotes
"""
WRONG = {
    'await quotes.create_quote(GetQuoteRequest(name="quotes/q"))': "another request",
    "await quotes.create_quote(quote)": "a resource for a request",
    "CreateQuoteRequest(qoute=Quote())": "a misspelt field",
    'Quote(term_months="12")': "a text for a number",
    "quote.state = 1.5": "a number for a state",
    "print(quote.nmae)": "a misspelt attribute",
    "(await quotes.get_quote(GetQuoteRequest())).quotes": "another answer",
    "await quotes.submit(GetQuoteRequest())": "a method that is none",
    "print([q.sku async for q in quotes.list_quotes(ListQuotesRequest())])": "another item",
    "await quotes.get_quote(GetQuoteRequest(), timeout='3')": "a text for seconds",
    "print(QuoteState.DONE)": "a state that is none",
    "await revops.quoting.quotas.get_quote(GetQuoteRequest())": "a service that is none",
}


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A module whose last lines are wrong, each in its own way."""
    path = tmp_path / "calls.py"
    path.write_text(RIGHT + "".join(f"    {line}\n" for line in WRONG))
    return path


def expected(module: Path) -> set[int]:
    """The lines of the module that are wrong."""
    last = len(module.read_text().splitlines())
    return set(range(last - len(WRONG) + 1, last + 1))


def test_mypy_finds_each_wrong_line_and_no_other(module: Path) -> None:
    environment = {**os.environ, "MYPYPATH": f"{ROOT / 'src'}:{ROOT / 'generated'}"}
    settings = module.with_name("mypy.ini")
    settings.write_text(
        "[mypy]\nstrict = true\nnamespace_packages = true\nexplicit_package_bases = true\nfollow_imports = silent\n"
    )
    command = [sys.executable, "-m", "mypy", "--config-file", settings, "--cache-dir", ROOT / ".mypy_cache", module]
    done = subprocess.run(command, env=environment, cwd=module.parent, capture_output=True, text=True, check=False)
    assert {int(line) for line in re.findall(r"calls\.py:(\d+): error", done.stdout)} == expected(module), done.stdout


def test_pyright_finds_each_wrong_line_and_no_other(module: Path) -> None:
    settings = {
        "include": [module.name],
        "extraPaths": [str(ROOT / "src"), str(ROOT / "generated")],
        "typeCheckingMode": "strict",
    }
    module.with_name("pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson"]
    done = subprocess.run(command, cwd=module.parent, capture_output=True, text=True, check=False)
    if not done.stdout.startswith("{"):
        pytest.skip(f"pyright does not start: {' '.join((done.stdout + done.stderr).split())[-200:]}")
    found = json.loads(done.stdout)["generalDiagnostics"]
    assert {each["range"]["start"]["line"] + 1 for each in found if each["severity"] == "error"} == expected(module), found

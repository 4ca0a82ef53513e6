"""The commands: what they print for people and programs, and that an error is one line and an exit code."""

import asyncio
import json
import re
import time
import uuid
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner

from revops_mesh.cli import queries
from revops_mesh.cli.main import SUBCOMMANDS, app
from revops_mesh.kernel.kinds import kind_of
from revops_mesh.local.installation import Installation
from tests.cli.conftest import Machine

NOWHERE = {"REVOPS_ADDRESS": "127.0.0.1:9", "NO_COLOR": "1"}


def one_line(text: str) -> bool:
    return text.startswith("revops: ") and text.count("\n") == 1


def test_help_lists_every_command_without_importing_any() -> None:
    ran = CliRunner().invoke(app, ["--help"], env={"NO_COLOR": "1"})
    assert ran.exit_code == 0
    assert all(name in ran.stdout for name in SUBCOMMANDS)


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    ran = CliRunner().invoke(app, [name, "--help"], env={"NO_COLOR": "1"})
    assert ran.exit_code == 0, ran.output
    assert "Usage" in ran.stdout


@pytest.mark.parametrize("arguments", [["nonsense"], ["token"], ["show"], ["up", "--port", "70000"], ["tenant", "create"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments, env=NOWHERE).exit_code == 2


def test_a_tenant_is_created_once_and_listed(machine: Machine) -> None:
    slug = f"t-{uuid.uuid4().hex[:8]}"
    created = machine.revops("tenant", "create", slug, "--edition", "TEAM", "--name", "Initech", "--json")
    assert json.loads(created.stdout)[0]["edition"] == "TEAM"
    again = machine.revops("tenant", "create", slug)
    assert again.exit_code == 1
    assert again.stderr == f"revops: RESOURCE_EXISTS: name tenants/{slug} is taken.\n"
    found = {each["slug"]: each for each in json.loads(machine.revops("tenant", "list", "--json").stdout)}
    assert found[slug] == json.loads(created.stdout)[0]
    assert "Initech" in machine.revops("tenant", "list").stdout


def test_a_token_has_the_role_it_was_issued_for(machine: Machine) -> None:
    token = machine.revops("token", "--tenant", "acme", "--role", "seller").stdout.strip()
    refused = machine.revops("call", "CreateProduct", '{"product": {"displayName": "X"}}', "--token", token)
    assert refused.exit_code == 1
    told = json.loads(refused.stderr)
    assert (told["code"], told["reason"], told["domain"]) == ("PERMISSION_DENIED", "PERMISSION_REQUIRED", "revops.platform.v1")
    assert told["metadata"] == {"permission": "catalog.products.create"}


def test_a_token_for_nobody_is_refused_in_one_line(machine: Machine) -> None:
    refused = machine.revops("token", "--tenant", "nobody")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == "revops: there is no tenant nobody: revops tenant list\n"


def test_a_call_names_one_method(machine: Machine) -> None:
    assert "no methods are called Fly" in machine.revops("call", "Fly").stderr
    assert "streams its answers" in machine.revops("call", "StreamAuditEntries").stderr
    assert "no revops.quoting.v1.GetQuoteRequest" in machine.revops("call", "GetQuote", '{"nam": 1}').stderr


def test_state_is_shown_as_text_and_as_json(machine: Machine) -> None:
    text = machine.revops("show", "quotes/helix-gpu", "--tenant", "acme").stdout
    assert text.startswith("# revops.quoting.v1.Quote quotes/helix-gpu: revision ")
    assert 'display_name: "Protein folding"' in text
    stored = json.loads(machine.revops("show", "quotes/helix-gpu", "--tenant", "acme", "--json").stdout)
    assert stored["state"]["account"] == "accounts/helix"
    version = machine.revops("show", "quotes/fjord-cold/versions/2", "--tenant", "acme", "--json")
    assert json.loads(version.stdout)["state"]["quote"]["version"] == 2
    assert "Acme Cloud" in machine.revops("show", "tenants/acme", "--tenant", "platform").stdout


@pytest.mark.parametrize(
    ("name", "tenant", "said"),
    [
        ("quotes/none", "acme", "the tenant acme has no quotes/none"),
        ("quotes/helix-gpu", "globex", "the tenant globex has no quotes/helix-gpu"),
        ("quotes/helix-gpu", "nobody", "there is no tenant nobody"),
        ("nonsense", "acme", "nonsense is no resource name"),
    ],
)
def test_what_is_not_there_is_told(machine: Machine, name: str, tenant: str, said: str) -> None:
    ran = machine.revops("show", name, "--tenant", tenant)
    assert ran.exit_code == 1
    assert said in ran.stderr
    assert one_line(ran.stderr)


async def _owner(machine: Machine) -> asyncpg.Connection:
    running = Installation(machine.up.data).running()
    assert running is not None
    return await asyncpg.connect(running.database_url, user="revops_owner")


async def _family(machine: Machine, statement: str = "") -> tuple[str, int, int]:
    owner = await _owner(machine)
    try:
        if statement:
            await owner.execute(statement)
        row = await owner.fetchrow("SELECT family, projection, revision FROM catalog.products WHERE name='products/cdn'")
        return row["family"], row["projection"], row["revision"]
    finally:
        await owner.close()


def test_a_column_that_lags_behind_its_state_is_filled_anew(machine: Machine) -> None:
    before = asyncio.run(_family(machine))
    asyncio.run(_family(machine, "UPDATE catalog.products SET family='', projection=0 WHERE name='products/cdn'"))
    ran = machine.revops("reproject", "catalog.Product")
    assert ran.stdout == "1 rows of catalog.products reprojected\n", ran.stderr
    assert asyncio.run(_family(machine)) == before
    assert machine.revops("reproject", "catalog.Product").stdout.startswith("0 rows")
    assert int(machine.revops("reproject", "quoting.Quote", "--all").stdout.split()[0]) >= 20


def test_a_row_that_was_changed_meanwhile_is_not_overwritten(machine: Machine) -> None:
    from revops.catalog.v1 import products_pb2

    async def late() -> str:
        kind, owner = kind_of(products_pb2.Product), await _owner(machine)
        try:
            row = await owner.fetchrow("SELECT tenant_id, revision, body FROM catalog.products WHERE name='products/cdn'")
            values = [[column.value(products_pb2.Product.FromString(row["body"]))] for column in kind.columns]
            stale = row["revision"] - 1
            done: str = await owner.execute(queries.project(kind), row["tenant_id"], ["products/cdn"], [stale], *values)
            return done
        finally:
            await owner.close()

    assert asyncio.run(late()) == "UPDATE 0"


def test_an_unknown_kind_is_refused_with_those_there_are(machine: Machine) -> None:
    ran = machine.revops("reproject", "Colour")
    assert ran.exit_code == 1
    assert re.search(r"no kind is called Colour; there are .*quoting.Quote,", ran.stderr)


def test_the_catalogue_says_what_each_method_needs(machine: Machine) -> None:
    served = json.loads(machine.revops("catalogue", "--json").stdout)
    assert served == json.loads(machine.revops("catalogue", "--offline", "--json").stdout)
    revise = next(each for each in served if each["method"] == "ReviseQuote")
    assert (revise["access"], revise["edition"], revise["emits"]) == ("quoting.quotes.revise", "TEAM", "QuoteSuperseded")
    assert "events and timers" in machine.revops("catalogue", "--capability", "quoting").stdout


def test_a_member_that_does_not_answer_is_one_line(machine: Machine, tmp_path: Path) -> None:
    for arguments in (["tenant", "list"], ["catalogue"], ["seed"], ["call", "GetQuote", '{"name": "quotes/a"}']):
        ran = machine.revops(*arguments, REVOPS_ADDRESS="127.0.0.1:9")
        assert ran.exit_code == 1
        assert "no member answers at 127.0.0.1:9" in ran.stderr
        assert one_line(ran.stderr)
    ran = machine.revops("tenant", "list", REVOPS_DATA=str(tmp_path))
    assert one_line(ran.stderr)
    assert "has no development issuer" in ran.stderr


def test_a_database_that_does_not_answer_is_one_line() -> None:
    env = {"REVOPS_DATABASE_URL": "postgresql://127.0.0.1:9/revops", "NO_COLOR": "1"}
    for arguments in (["migrate"], ["migrate", "--check"], ["show", "quotes/a", "--tenant", "acme"]):
        ran = CliRunner().invoke(app, arguments, env=env)
        assert ran.exit_code == 1
        assert one_line(ran.stderr), ran.stderr
        assert "cannot connect" in ran.stderr


def test_migrate_tells_the_revision_and_what_an_administrator_would_run(machine: Machine) -> None:
    assert re.fullmatch(r"at revision \d{4}\n", machine.revops("migrate").stdout)
    assert machine.revops("migrate", "--check").exit_code == 0
    script = machine.revops("migrate", "--sql").stdout
    assert "CREATE DATABASE revops OWNER revops_owner;" in script
    assert "needs REVOPS_ADMIN_URL" in machine.revops("migrate", "--bootstrap").stderr


def test_serving_without_settings_names_each_that_is_missing() -> None:
    ran = CliRunner().invoke(app, ["serve"], env={"REVOPS_DATABASE_URL": "", "NO_COLOR": "1"})
    assert ran.exit_code == 1
    assert "REVOPS_DATABASE_URL" in ran.stderr
    assert "REVOPS_ISSUER" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_debug_shows_the_traceback(machine: Machine) -> None:
    ran = machine.revops("--debug", "show", "nonsense", "--tenant", "acme")
    assert ran.exit_code == 1
    assert "Traceback" in ran.stderr


def test_the_promotion_report_tells_load_rows_and_coupling(machine: Machine) -> None:
    assert machine.revops("call", "ListQuotes", "--tenant", "acme").exit_code == 0
    assert machine.revops("call", "ListQuotes", "--tenant", "acme").exit_code == 0
    for _ in range(50):
        rows = {row["module"]: row for row in json.loads(machine.revops("promotion-report", "--json").stdout or "[]")}
        if rows and rows["quoting.v1.QuoteService"]["calls"]:
            break
        time.sleep(0.2)  # until the member has written its log
    assert abs(sum(row["share"] for row in rows.values()) - 1) < 0.01
    quotes, books = rows["quoting.v1.QuoteService"], rows["catalog.v1.PriceBookService"]
    assert quotes["calls"] > 0
    assert quotes["changes_a_day"] > 0
    assert 0 < quotes["p50_ms"] <= quotes["p95_ms"]
    assert "PriceBook" in quotes["asks"]
    assert "Quote" in books["asked_by"]
    assert rows["platform.v1.LegalEntityService"]["verdict"].startswith("keep: ")
    busiest = max(rows.values(), key=lambda row: row["share"])
    generous = machine.revops("promotion-report", "--share", "0.01", "--asked-by", "42", "--json")
    assert (
        f"candidate: {busiest['share']:.0%} of the time"
        in {row["module"]: row for row in json.loads(generous.stdout)}[busiest["module"]]["verdict"]
    )


def test_without_logs_there_is_no_promotion_report(machine: Machine, tmp_path: Path) -> None:
    empty = tmp_path / "empty.log"
    empty.write_text('{"message":"rpc","method":"half\n')
    ran = machine.revops("promotion-report", str(empty))
    assert (ran.exit_code, one_line(ran.stderr), "no access log tells of a call" in ran.stderr) == (1, True, True)


@pytest.mark.parametrize(
    "arguments", [["token", "--tenant", "acme"], ["migrate", "--check"], ["reproject", "quoting.Quote"], ["seed"], ["catalogue"]]
)
def test_json_is_all_that_is_printed(machine: Machine, arguments: list[str]) -> None:
    ran = machine.revops(*arguments, "--json")
    assert ran.exit_code == 0, ran.stderr
    assert json.loads(ran.stdout)

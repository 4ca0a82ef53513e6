"""`revops import`, `export` and `operations` against a running member, which may be killed meanwhile, and so may the command."""

import csv
import json
import os
import re
import signal
import subprocess
import time
import uuid
from pathlib import Path

import pyarrow.parquet
import pytest

from tests.cli.conftest import Machine
from tests.cli.test_up import member_of

OPERATION = re.compile(r"operations/[a-z0-9-]+")


@pytest.fixture(scope="module")
def tenant(machine: Machine) -> str:
    slug = f"bulk-{uuid.uuid4().hex[:8]}"
    assert machine.revops("tenant", "create", slug, "--edition", "ENTERPRISE").exit_code == 0
    return slug


def table(path: Path, rows: int, mark: str) -> Path:
    """A table of so many products, told apart by a mark."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["display_name", "sku"])
        writer.writerows([f"{mark} {n}", f"{mark}-{n}"] for n in range(rows))
    return path


def exported(machine: Machine, tenant: str, mark: str) -> list[str]:
    """The names of the products with a mark, as an export tells them."""
    arguments = ["products", "--filter", f'sku = "{mark}-*"', "--format", "csv", "--fields", "display_name", "-o", "-"]
    ran = machine.revops("export", *arguments, "--tenant", tenant)
    assert ran.exit_code == 0, ran.stderr
    return ran.stdout.splitlines()[1:]


def test_rows_are_made_and_refused_ones_are_told(machine: Machine, tenant: str, tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", 20, "a")
    path.write_text(path.read_text() + ",a-20\nAgain,a-3\n")
    command = ["import", str(path), "--type", "products", "--tenant", tenant]
    ran = machine.revops(*command)
    assert ran.exit_code == 1
    assert [json.loads(line)["row"] for line in ran.stderr.splitlines()[:2]] == [22, 23]
    assert "created 20, failed 2" in ran.stdout
    again = machine.revops(*command, "--json")
    told = json.loads(again.stdout)
    assert told["name"] == OPERATION.search(ran.stdout)[0]  # type: ignore[index]
    assert told["response"]["created"] == "20"
    tried = machine.revops(*command, "--again", "--dry-run", "--mode", "upsert")
    assert "updated 21, failed 1" in tried.stdout, tried.stderr
    assert sorted(exported(machine, tenant, "a")) == sorted(f"a {n}" for n in range(20))


def test_files_of_every_form(machine: Machine, tenant: str, tmp_path: Path) -> None:
    assert (
        machine.revops(
            "import", str(table(tmp_path / "f.csv", 15, "f")), "--type", "catalog.Product", "--tenant", tenant
        ).exit_code
        == 0
    )
    filter = ["--filter", 'sku = "f-*"', "--order-by", "sku desc", "--tenant", tenant]
    for form in ("csv", "jsonl", "parquet"):
        path = tmp_path / f"out.{form}"
        ran = machine.revops("export", "catalog.Product", *filter, "-o", str(path))
        assert (ran.exit_code, "done_rows 15" in ran.stdout) == (0, True), ran.stderr
    rows = pyarrow.parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert rows[0]["sku"] == "f-9"
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    with (tmp_path / "out.csv").open(newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == [row["name"] for row in lines] == [row["name"] for row in rows]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["f.csv", "out.csv", "out.jsonl", "out.parquet"]


def test_what_cannot_be_done_is_one_line(machine: Machine, tenant: str, tmp_path: Path) -> None:
    path = table(tmp_path / "x.csv", 1, "x")
    for arguments, said in [
        (["import", str(path), "--type", "colours"], "IMPORT_TYPE: colours: nothing creates it"),
        (["import", str(path), "--type", "ratePlans"], "IMPORT_COLUMN: The header names sku, which is no field"),
        (["import", str(path), "--type", "products", "--format", "parquet"], "an import takes csv or jsonl"),
        (["export", "products", "-o", str(tmp_path / "out.xls")], "name the form of"),
        (["export", "products", "-o", str(tmp_path / "o.csv"), "--filter", "colour = red"], "colour"),
        (["operations", "show", "nowhere"], "RESOURCE_NOT_FOUND"),
    ]:
        ran = machine.revops(*arguments, "--tenant", tenant)
        assert ran.exit_code == 1, ran.output
        assert said in ran.stderr
        assert "Traceback" not in ran.stderr
    assert not (tmp_path / "o.csv").exists()


def test_operations_are_listed_shown_cancelled_and_resumed(machine: Machine, tenant: str, tmp_path: Path) -> None:
    for rows in (6_000, 24_000):  # more, if it was done before it was cancelled
        mark = f"c{rows}"
        path = table(tmp_path / f"{mark}.csv", rows, mark)
        waiting = machine.background("import", str(path), "--type", "products", "--tenant", tenant)
        name = under_way(machine, tenant, waiting)
        assert machine.revops("operations", "cancel", name, "--tenant", tenant).exit_code == 0
        if waiting.wait(60):
            break
    assert waiting.returncode == 1, "whoever waits hears of it"
    shown = json.loads(machine.revops("operations", "show", name, "--tenant", tenant, "--json").stdout)
    assert (shown["state"], shown["error"]["code"]) == ("STATE_CANCELLED", 1)
    listed = machine.revops("operations", "list", "--filter", "state = CANCELLED", "--tenant", tenant)
    assert name in listed.stdout
    assert machine.revops("operations", "resume", name, "--tenant", tenant).exit_code == 0
    assert machine.revops("operations", "wait", name, "--tenant", tenant).exit_code == 0
    assert sorted(exported(machine, tenant, mark)) == sorted(f"{mark} {n}" for n in range(rows))


def test_ctrl_c_leaves_the_import_running_and_a_killed_member_goes_on_with_it(
    machine: Machine, tenant: str, tmp_path: Path
) -> None:
    for rows in (6_000, 24_000):  # more, if it was done before it was left
        path = table(tmp_path / f"k{rows}.csv", rows, f"k{rows}")
        command = ["import", str(path), "--type", "products", "--tenant", tenant]
        first = machine.background(*command)
        name = under_way(machine, tenant, first)
        first.send_signal(signal.SIGINT)
        if first.wait(60):
            break
    assert first.returncode == 130
    assert f"{name} goes on without you" in first.stderr.read().decode()  # type: ignore[union-attr]
    os.kill(member_of(machine.up.process.pid), signal.SIGKILL)
    for _ in range(60):
        second = machine.revops("operations", "wait", name, "--tenant", tenant)
        if second.exit_code == 0:
            break
        time.sleep(1)  # until the member that was started again answers
    assert second.exit_code == 0, second.output
    ran = machine.revops(*command)
    assert (ran.exit_code, name in ran.stdout, f"created {rows}" in ran.stdout) == (0, True, True), ran.output
    assert sorted(exported(machine, tenant, f"k{rows}")) == sorted(f"k{rows} {n}" for n in range(rows))


def under_way(machine: Machine, tenant: str, command: "subprocess.Popen[bytes]") -> str:
    """The name of the operation that a command has started, once it has made progress."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        listed = json.loads(
            machine.revops("operations", "list", "--filter", "state = RUNNING", "--tenant", tenant, "--json").stdout
        )
        if listed:
            return str(listed[0]["name"])
        assert command.poll() is None, command.stderr.read()  # type: ignore[union-attr]
    raise AssertionError("nothing runs")

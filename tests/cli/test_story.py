"""The demo's story: what it promises is there, through the contracts, however often it is told."""

import json
import time
from collections import Counter
from typing import Any

import pytest

from tests.cli.conftest import Machine


def ask(machine: Machine, method: str, request: dict[str, Any], *who: str) -> Any:
    ran = machine.revops("call", method, json.dumps(request), *(who or ("--tenant", "acme")))
    assert ran.exit_code == 0, ran.stderr
    return json.loads(ran.stdout)


def test_more_than_a_dozen_products_are_for_sale_by_every_charge_model(machine: Machine) -> None:
    products = ask(machine, "ListProducts", {"pageSize": 100})["products"]
    assert Counter(each["state"] for each in products) == {"STATE_ACTIVE": 13, "STATE_DRAFT": 1, "STATE_RETIRED": 1}
    plans = ask(machine, "ListRatePlans", {"parent": "products/-", "pageSize": 100})["ratePlans"]
    models = {charge["model"].removeprefix("CHARGE_MODEL_") for plan in plans for charge in plan["charges"]}
    assert models == {"FLAT", "PER_UNIT", "GRADUATED", "VOLUME", "PACKAGE"}
    assert {charge["type"] for plan in plans for charge in plan["charges"]} == {"TYPE_ONE_TIME", "TYPE_RECURRING", "TYPE_USAGE"}


def test_three_price_books_price_the_same_charges_and_one_price_is_superseded(machine: Machine) -> None:
    books = ask(machine, "ListPriceBooks", {})["priceBooks"]
    assert {(each["name"], each["currencyCode"], each["state"]) for each in books} == {
        ("priceBooks/eur-list", "EUR", "STATE_ACTIVE"),
        ("priceBooks/usd-list", "USD", "STATE_ACTIVE"),
        ("priceBooks/eur-reseller", "EUR", "STATE_ACTIVE"),
    }
    entries = ask(machine, "ListPriceEntries", {"parent": "priceBooks/-", "pageSize": 1000})["priceEntries"]
    charges = [{each["charge"] for each in entries if each["name"].startswith(book["name"])} for book in books]
    assert charges[0] == charges[1] == charges[2]
    storage = [each for each in entries if each["charge"].startswith("products/object-storage/")]
    assert len(storage) == 2 * len(books)


def test_twenty_quotes_stand_in_every_state_a_quote_can_be_brought_to(machine: Machine) -> None:
    quotes = ask(machine, "ListQuotes", {"pageSize": 100})["quotes"]
    assert Counter(each["state"].removeprefix("STATE_") for each in quotes) == {
        "DRAFT": 4, "SUBMITTED": 7, "ACCEPTED": 6, "REJECTED": 1, "WITHDRAWN": 1, "SUPERSEDED": 1,
    }  # fmt: skip
    assert {each["version"] for each in quotes} == {1, 2, 3}
    numbers = sorted(each["number"] for each in quotes if "number" in each)
    assert numbers == [f"Q-{number:06d}" for number in range(1, len(numbers) + 1)]


def test_a_line_keeps_its_id_over_the_versions_of_its_quote(machine: Machine) -> None:
    for quote in ("quotes/brenner-fleet", "quotes/fjord-cold"):
        lines = ask(machine, "GetQuote", {"name": quote})["lines"]
        assert [line["lineId"] for line in lines] == [str(number) for number in range(1, len(lines) + 1)]


def test_drafts_that_used_a_price_that_was_cut_are_stale(machine: Machine) -> None:
    drafts = ask(machine, "ListQuotes", {"filter": "state = STATE_DRAFT"})["quotes"]
    stale = {each["name"] for each in drafts if each.get("stalePriceEntry")}
    assert stale == {"quotes/helix-gpu", "quotes/lumen-render"}


def test_a_reseller_pays_reseller_prices_and_sees_its_own_quotes_only(machine: Machine) -> None:
    token = machine.revops("token", "--tenant", "acme", "--role", "partner", "--partner", "nordlicht").stdout.strip()
    quotes = ask(machine, "ListQuotes", {}, "--token", token)["quotes"]
    assert {each["name"] for each in quotes} == {"quotes/stadtwerk-metering", "quotes/stadtwerk-portal"}
    assert all("eur-reseller" in entry for each in quotes for entry in each["priceEntries"])


def test_the_small_tenant_is_capped_by_its_edition(machine: Machine) -> None:
    book = {"priceBook": {"displayName": "B", "currencyCode": "USD"}}
    assert machine.revops("call", "CreatePriceBook", json.dumps(book), "--tenant", "globex").exit_code == 0
    refused = json.loads(machine.revops("call", "CreatePriceBook", json.dumps(book), "--tenant", "globex").stderr)
    assert (refused["reason"], refused["metadata"]["lifted_by"]) == ("LIMIT_REACHED", "TEAM")
    refused = json.loads(machine.revops("call", "ReviseQuote", '{"name": "quotes/bakery-care"}', "--tenant", "globex").stderr)
    assert refused["reason"] == "EDITION_REQUIRED"


def test_telling_it_again_changes_nothing(machine: Machine) -> None:
    def state() -> Any:
        return ask(machine, "ListQuotes", {"pageSize": 100}), ask(machine, "ListAuditEntries", {"pageSize": 1})["entries"][0][
            "entryId"
        ]

    before = state()
    told = machine.revops("seed")
    assert (told.exit_code, told.stdout) == (0, "told the story of acme and globex\n")
    assert state() == before


@pytest.mark.parametrize("tenant", ["acme", "globex"])
def test_nothing_of_it_failed_in_the_background(machine: Machine, tenant: str) -> None:
    ran = machine.revops("dead-letters", "list", "--tenant", tenant, "--json")
    assert json.loads(ran.stdout) == []


def test_open_quotes_above_ten_per_cent_wait_for_the_sales_manager(machine: Machine) -> None:
    wanted, deadline = {"quotes/fjord-cold", "quotes/marigold-group"}, time.monotonic() + 90
    asked = {"filter": 'pending_approvers:"roles/sales-manager"'}
    found: set[str] = set()
    while found != wanted and time.monotonic() < deadline:  # until the last event is heard
        found = {each["subject"] for each in ask(machine, "ListApprovalRequests", asked).get("approvalRequests", [])}
    assert found == wanted

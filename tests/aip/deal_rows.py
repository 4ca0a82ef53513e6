"""Rows of a table `deals` that has a column of every kind and no NULL, and the columns as the kernel would give them."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from revops_mesh.aip.filters import FilterColumn, Kind

STATES = {"STATE_UNSPECIFIED": 0, "DRAFT": 1, "SENT": 2, "WON": 3}
COLUMNS = {
    "account": FilterColumn("account", Kind.TEXT),
    "seats": FilterColumn("seats", Kind.INTEGER),
    "archived": FilterColumn("archived", Kind.BOOL),
    "state": FilterColumn('"state"', Kind.ENUM, STATES),
    "create_time": FilterColumn("create_time", Kind.TIMESTAMP),
    "close_date": FilterColumn("close_date", Kind.DATE),
    "discount": FilterColumn("discount", Kind.DECIMAL),
    "total": FilterColumn("total__amount", Kind.MONEY, currency_column="total__currency_code"),
    "tags": FilterColumn("tags", Kind.TEXT_ARRAY),
}
TEXTS = (
    "", "acme", "Acme", "acme corp", "a%me", "a_me", "a\\me", "*", "ac*me", "O'Hara", 'say "hi"', "'; DROP TABLE deals; --",
    "$1", "$1::text", "Ünïcode", "日本", "😀", "line\nbreak", "AND", "NOT x", "a:b", "accounts/a1",
)  # fmt: skip
INSTANTS = [datetime(2024, 2, 29, 23, 59, 59, 999999, UTC) + timedelta(hours=7 * n) for n in range(12)]
DATES = [date(2024, 2, 28) + timedelta(days=n) for n in range(6)]
AMOUNTS = [Decimal(text) for text in ("-1204.50", "-0.000000000001", "0", "0.10", "100", "100.00", "999999999999999999.99")]
INTEGERS = (-(2**63), -1, 0, 1, 7, 2**31, 2**63 - 1)

Row = dict[str, Any]


def _row(number: int, chance: random.Random) -> Row:
    return {
        "name": f"deals/{number:03}",
        "account": chance.choice(TEXTS),
        "seats": chance.choice(INTEGERS),
        "archived": chance.random() < 0.5,
        "state": chance.choice(list(STATES.values())),
        "create_time": chance.choice(INSTANTS),
        "close_date": chance.choice(DATES),
        "discount": chance.choice(AMOUNTS),
        "total__amount": chance.choice(AMOUNTS),
        "total__currency_code": chance.choice(("EUR", "USD", "JPY")),
        "tags": chance.sample(TEXTS, chance.randrange(4)),
    }


ROWS = [_row(number, random.Random(number)) for number in range(150)]

SCHEMA = """
CREATE TABLE deals (
    name text COLLATE "C" PRIMARY KEY, account text COLLATE "C" NOT NULL, seats bigint NOT NULL,
    archived bool NOT NULL, state int NOT NULL, create_time timestamptz NOT NULL, close_date date NOT NULL,
    discount numeric NOT NULL, total__amount numeric NOT NULL, total__currency_code text COLLATE "C" NOT NULL,
    tags text[] NOT NULL
)
"""

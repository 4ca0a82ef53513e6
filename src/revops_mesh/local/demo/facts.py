"""The reference facts of the demo: who sells, what currencies cost each other, and when people work."""

from typing import NamedTuple


class Entity(NamedTuple):
    """A company that sells."""

    id: str
    name: str
    currency: str
    region: str
    time_zone: str
    tax_number: str


class Rate(NamedTuple):
    """What one unit of a currency costs in another from a day on."""

    unit: str
    price: str
    rate: str
    day: tuple[int, int, int]


ENTITIES = (
    Entity("acme-de", "Acme Cloud GmbH", "EUR", "DE", "Europe/Berlin", "DE298765432"),
    Entity("acme-us", "Acme Cloud Inc.", "USD", "US", "America/New_York", "84-1234567"),
)

RATES = (
    Rate("EUR", "USD", "1.0821", (2026, 1, 2)),
    Rate("USD", "EUR", "0.9241", (2026, 1, 2)),
    Rate("EUR", "USD", "1.0764", (2026, 7, 1)),
    Rate("USD", "EUR", "0.9290", (2026, 7, 1)),
    Rate("EUR", "GBP", "0.8512", (2026, 7, 1)),
    Rate("GBP", "EUR", "1.1748", (2026, 7, 1)),
)

WORKDAYS = (1, 2, 3, 4, 5)
"""ISO 8601: Monday to Friday."""
OPEN, CLOSE = 9 * 60, 17 * 60 + 30
"""Minutes of the local day."""
HOLIDAYS = ((2026, 12, 24), (2026, 12, 25), (2026, 12, 31), (2027, 1, 1), (2027, 3, 26), (2027, 5, 1))

"""The second demo tenant: Globex, a small firm on the FREE edition, whose caps and refusals can be tried."""

from .deals import ACCEPT, SUBMIT, Customer, Deal, Line
from .prices import flat, per_unit
from .vendor import ONE_TIME, RECURRING, Book, Item, Plan, Product

BOOKS = (Book("eur", "Prices, EUR", "EUR", "1"),)

PRODUCTS = (
    Product("maintenance", "Website maintenance", "services", "Updates, backups and a person who answers.", (
        Plan("monthly", "Monthly", (Item("site", "Site", RECURRING, per_unit("120.00"), "site"),)),
    )),
    Product("relaunch", "Relaunch", "services", "A new website in six weeks.", (
        Plan("once", "Fixed price", (Item("fee", "Fixed price", ONE_TIME, flat("8400.00")),)),
    )),
)  # fmt: skip

CUSTOMERS = {"bakery": Customer("Bäckerei Sonnleitner", "Marktplatz 2", "83022 Rosenheim", "DE", "small")}

DEALS = (
    Deal("bakery-relaunch", "bakery", "New website", (Line("relaunch/once", "1", rate="0.05"),), (SUBMIT, ACCEPT), entity=""),
    Deal("bakery-care", "bakery", "Website care", (Line("maintenance/monthly", "1"),), (SUBMIT,), entity=""),
)

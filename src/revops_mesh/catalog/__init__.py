"""Catalog: what can be sold, and what it costs."""

from revops_mesh.kernel.modules import Module

from .price_books.domain import PriceBook, PriceEntry
from .price_books.service import PriceBookService
from .products.domain import Product, RatePlan
from .products.service import ProductService

MODULES = (
    Module("revops.catalog.v1.ProductService", ProductService(), (Product, RatePlan)),
    Module("revops.catalog.v1.PriceBookService", PriceBookService(), (PriceBook, PriceEntry)),
)

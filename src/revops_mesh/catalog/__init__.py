"""Catalog: what can be sold, and what it costs."""

from revops_mesh.kernel.pipeline import Module

from .products.domain import Product, RatePlan
from .products.service import ProductService

MODULES = (Module("revops.catalog.v1.ProductService", ProductService(), (Product, RatePlan)),)

# Generated from the contracts: never edited, `make proto` writes it anew.
"""revops.catalog.v1: messages and services."""

from collections.abc import AsyncIterator
from revops_client.google.protobuf import Empty
from revops_client.revops.catalog.v1 import (
    ActivatePriceBookRequest,
    ActivateProductRequest,
    Charge,
    ChargePrice,
    ChargeType,
    CreatePriceBookRequest,
    CreatePriceEntryRequest,
    CreateProductRequest,
    CreateRatePlanRequest,
    DeletePriceBookRequest,
    DeleteProductRequest,
    GetPriceBookRequest,
    GetPriceEntryRequest,
    GetProductRequest,
    GetRatePlanRequest,
    ListPriceBooksRequest,
    ListPriceBooksResponse,
    ListPriceEntriesRequest,
    ListPriceEntriesResponse,
    ListProductsRequest,
    ListProductsResponse,
    ListRatePlansRequest,
    ListRatePlansResponse,
    PlanPrice,
    PriceBook,
    PriceBookActivated,
    PriceBookReason,
    PriceBookRetired,
    PriceBookState,
    PriceEntry,
    PriceEntryCreated,
    PriceEntrySuperseded,
    PriceQuery,
    PriceScope,
    Product,
    ProductActivated,
    ProductReason,
    ProductRetired,
    ProductState,
    RatePlan,
    ReplayPriceRequest,
    ReplayPriceResponse,
    ResolvePricesRequest,
    ResolvePricesResponse,
    RetirePriceBookRequest,
    RetireProductRequest,
    StreamPriceEntriesRequest,
    UpdatePriceBookRequest,
    UpdateProductRequest,
    UpdateRatePlanRequest,
)
from revops_rpc.calls import Calls, Metadata, NONE
from revops_rpc.paging import Pages

__all__ = [
    "ActivatePriceBookRequest",
    "ActivateProductRequest",
    "CatalogServices",
    "Charge",
    "ChargePrice",
    "ChargeType",
    "CreatePriceBookRequest",
    "CreatePriceEntryRequest",
    "CreateProductRequest",
    "CreateRatePlanRequest",
    "DeletePriceBookRequest",
    "DeleteProductRequest",
    "GetPriceBookRequest",
    "GetPriceEntryRequest",
    "GetProductRequest",
    "GetRatePlanRequest",
    "ListPriceBooksRequest",
    "ListPriceBooksResponse",
    "ListPriceEntriesRequest",
    "ListPriceEntriesResponse",
    "ListProductsRequest",
    "ListProductsResponse",
    "ListRatePlansRequest",
    "ListRatePlansResponse",
    "PlanPrice",
    "PriceBook",
    "PriceBookActivated",
    "PriceBookReason",
    "PriceBookRetired",
    "PriceBookService",
    "PriceBookState",
    "PriceEntry",
    "PriceEntryCreated",
    "PriceEntrySuperseded",
    "PriceQuery",
    "PriceScope",
    "Product",
    "ProductActivated",
    "ProductReason",
    "ProductRetired",
    "ProductService",
    "ProductState",
    "RatePlan",
    "ReplayPriceRequest",
    "ReplayPriceResponse",
    "ResolvePricesRequest",
    "ResolvePricesResponse",
    "RetirePriceBookRequest",
    "RetireProductRequest",
    "StreamPriceEntriesRequest",
    "UpdatePriceBookRequest",
    "UpdateProductRequest",
    "UpdateRatePlanRequest",
]


class ProductService:
    """Products and their rate plans."""

    def __init__(self, calls: Calls) -> None:
        at = "/revops.catalog.v1.ProductService/"
        self._create_product = calls.unary(at + "CreateProduct", Product, request_id=3)
        self._get_product = calls.unary(at + "GetProduct", Product)
        self._list_products = calls.paged(
            at + "ListProducts",
            ListProductsResponse,
            lambda page: page.products,
            page_token=2,
        )
        self._update_product = calls.unary(at + "UpdateProduct", Product, request_id=3)
        self._delete_product = calls.unary(at + "DeleteProduct", Empty, request_id=3)
        self._activate_product = calls.unary(at + "ActivateProduct", Product, request_id=3)
        self._retire_product = calls.unary(at + "RetireProduct", Product, request_id=3)
        self._create_rate_plan = calls.unary(at + "CreateRatePlan", RatePlan, request_id=3)
        self._get_rate_plan = calls.unary(at + "GetRatePlan", RatePlan)
        self._list_rate_plans = calls.paged(
            at + "ListRatePlans",
            ListRatePlansResponse,
            lambda page: page.rate_plans,
            page_token=2,
        )
        self._update_rate_plan = calls.unary(at + "UpdateRatePlan", RatePlan, request_id=3)

    async def create_product(
        self, request: CreateProductRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Product:
        """Creates a product in DRAFT. Fails with PRODUCT_PERIOD_EMPTY, RESOURCE_EXISTS, LIMIT_REACHED.
        Idempotent by `request_id`.
        """
        return await self._create_product(request, timeout, metadata)

    async def get_product(
        self, request: GetProductRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Product:
        """Gets a product. Fails with RESOURCE_NOT_FOUND."""
        return await self._get_product(request, timeout, metadata)

    def list_products(
        self, request: ListProductsRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListProductsResponse, Product]:
        """Lists products."""
        return self._list_products(request, timeout, metadata)

    async def update_product(
        self, request: UpdateProductRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Product:
        """Changes a product that is not retired. Fails with PRODUCT_STATE, PRODUCT_PERIOD_EMPTY,
        RESOURCE_EXISTS, ETAG_MISMATCH. Idempotent by `request_id`.
        """
        return await self._update_product(request, timeout, metadata)

    async def delete_product(
        self, request: DeleteProductRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> None:
        """Deletes a draft with its rate plans. Fails with PRODUCT_STATE, ETAG_MISMATCH. Idempotent by
        `request_id`.
        """
        await self._delete_product(request, timeout, metadata)

    async def activate_product(
        self, request: ActivateProductRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Product:
        """DRAFT → ACTIVE: prices may be set and quotes may use it. Fails with PRODUCT_STATE,
        PRODUCT_WITHOUT_PLAN. Idempotent by `request_id`.
        """
        return await self._activate_product(request, timeout, metadata)

    async def retire_product(
        self, request: RetireProductRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Product:
        """ACTIVE → RETIRED: existing documents keep it, new quotes cannot use it. Fails with PRODUCT_STATE.
        Idempotent by `request_id`.
        """
        return await self._retire_product(request, timeout, metadata)

    async def create_rate_plan(
        self, request: CreateRatePlanRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> RatePlan:
        """Adds a rate plan to a product that is not retired. Fails with PRODUCT_STATE, CHARGE_DUPLICATE,
        CHARGE_INVALID. Idempotent by `request_id`.
        """
        return await self._create_rate_plan(request, timeout, metadata)

    async def get_rate_plan(
        self, request: GetRatePlanRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> RatePlan:
        """Gets a rate plan. Fails with RESOURCE_NOT_FOUND."""
        return await self._get_rate_plan(request, timeout, metadata)

    def list_rate_plans(
        self, request: ListRatePlansRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListRatePlansResponse, RatePlan]:
        """Lists the rate plans of a product, or of all with "products/-"."""
        return self._list_rate_plans(request, timeout, metadata)

    async def update_rate_plan(
        self, request: UpdateRatePlanRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> RatePlan:
        """Changes a rate plan; the charges only while the product is a draft. Fails with PRODUCT_STATE,
        CHARGE_DUPLICATE, CHARGE_INVALID, ETAG_MISMATCH. Idempotent by `request_id`.
        """
        return await self._update_rate_plan(request, timeout, metadata)


class PriceBookService:
    """Price books and their entries."""

    def __init__(self, calls: Calls) -> None:
        at = "/revops.catalog.v1.PriceBookService/"
        self._create_price_book = calls.unary(at + "CreatePriceBook", PriceBook, request_id=3)
        self._get_price_book = calls.unary(at + "GetPriceBook", PriceBook)
        self._list_price_books = calls.paged(
            at + "ListPriceBooks",
            ListPriceBooksResponse,
            lambda page: page.price_books,
            page_token=2,
        )
        self._update_price_book = calls.unary(at + "UpdatePriceBook", PriceBook, request_id=3)
        self._delete_price_book = calls.unary(at + "DeletePriceBook", Empty, request_id=3)
        self._activate_price_book = calls.unary(at + "ActivatePriceBook", PriceBook, request_id=3)
        self._retire_price_book = calls.unary(at + "RetirePriceBook", PriceBook, request_id=3)
        self._create_price_entry = calls.unary(at + "CreatePriceEntry", PriceEntry, request_id=3)
        self._get_price_entry = calls.unary(at + "GetPriceEntry", PriceEntry)
        self._list_price_entries = calls.paged(
            at + "ListPriceEntries",
            ListPriceEntriesResponse,
            lambda page: page.price_entries,
            page_token=2,
        )
        self._stream_price_entries = calls.streaming(at + "StreamPriceEntries", PriceEntry)
        self._resolve_prices = calls.unary(at + "ResolvePrices", ResolvePricesResponse)
        self._replay_price = calls.unary(at + "ReplayPrice", ReplayPriceResponse)

    async def create_price_book(
        self, request: CreatePriceBookRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> PriceBook:
        """Creates a price book in DRAFT. Fails with PRICE_BOOK_PERIOD_EMPTY, PRICE_BOOK_PARENT_UNFIT,
        RESOURCE_EXISTS, RESOURCE_NOT_FOUND (the parent), LIMIT_REACHED, and FIELD_INVALID for a formula that
        contradicts itself or has no parent, and for an unknown currency. Idempotent by `request_id`.
        """
        return await self._create_price_book(request, timeout, metadata)

    async def get_price_book(
        self, request: GetPriceBookRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> PriceBook:
        """Gets a price book. Fails with RESOURCE_NOT_FOUND."""
        return await self._get_price_book(request, timeout, metadata)

    def list_price_books(
        self, request: ListPriceBooksRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListPriceBooksResponse, PriceBook]:
        """Lists price books."""
        return self._list_price_books(request, timeout, metadata)

    async def update_price_book(
        self, request: UpdatePriceBookRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> PriceBook:
        """Changes a price book that is not retired; scope, priority, currency, parent and formula only in
        DRAFT. Fails with PRICE_BOOK_STATE, PRICE_BOOK_AMBIGUOUS, PRICE_BOOK_PERIOD_EMPTY,
        PRICE_BOOK_PARENT_UNFIT, RESOURCE_NOT_FOUND (the book, the parent), ETAG_MISMATCH. Idempotent by
        `request_id`.
        """
        return await self._update_price_book(request, timeout, metadata)

    async def delete_price_book(
        self, request: DeletePriceBookRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> None:
        """Deletes a draft with its entries. Fails with PRICE_BOOK_STATE, ETAG_MISMATCH. Idempotent by
        `request_id`.
        """
        await self._delete_price_book(request, timeout, metadata)

    async def activate_price_book(
        self, request: ActivatePriceBookRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> PriceBook:
        """DRAFT → ACTIVE. Fails with PRICE_BOOK_STATE, PRICE_BOOK_AMBIGUOUS, PRICE_BOOK_PARENT_UNFIT,
        RESOURCE_NOT_FOUND (the book, the parent), ETAG_MISMATCH. Idempotent by `request_id`.
        """
        return await self._activate_price_book(request, timeout, metadata)

    async def retire_price_book(
        self, request: RetirePriceBookRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> PriceBook:
        """ACTIVE → RETIRED: new quotes no longer use it. Fails with PRICE_BOOK_STATE, PRICE_BOOK_IN_USE,
        ETAG_MISMATCH. Idempotent by `request_id`.
        """
        return await self._retire_price_book(request, timeout, metadata)

    async def create_price_entry(
        self, request: CreatePriceEntryRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> PriceEntry:
        """Adds an entry to a book that is not retired. For its period of validity it supersedes what the book
        said of the charge before. Fails with PRICE_BOOK_STATE, PRICE_INVALID, PRICE_PERIOD_EMPTY,
        CHARGE_UNKNOWN, PRODUCT_NOT_SELLABLE, and RESOURCE_NOT_FOUND for a book or a rate plan that does not
        exist. Idempotent by `request_id`.
        """
        return await self._create_price_entry(request, timeout, metadata)

    async def get_price_entry(
        self, request: GetPriceEntryRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> PriceEntry:
        """Gets an entry. Fails with RESOURCE_NOT_FOUND."""
        return await self._get_price_entry(request, timeout, metadata)

    def list_price_entries(
        self, request: ListPriceEntriesRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListPriceEntriesResponse, PriceEntry]:
        """Lists the entries of a book, or of all with "priceBooks/-"."""
        return self._list_price_entries(request, timeout, metadata)

    def stream_price_entries(
        self, request: StreamPriceEntriesRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> AsyncIterator[PriceEntry]:
        """Streams every entry of a book, or of all with "priceBooks/-", in the order of names. Fails with
        RESOURCE_NOT_FOUND.
        """
        return self._stream_price_entries(request, timeout, metadata)

    async def resolve_prices(
        self, request: ResolvePricesRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ResolvePricesResponse:
        """The prices of rate plans for a customer at an instant, each with its proof. Each charge has the
        price of the first active book that says one, or whose parents do; books are tried from the most
        specific scope to the least, then from the highest priority. A plan is priced whole: if one of its
        charges has no price, a usage charge included, it fails with PRICE_MISSING. Fails with
        PRICE_NOT_DERIVABLE.
        """
        return await self._resolve_prices(request, timeout, metadata)

    async def replay_price(
        self, request: ReplayPriceRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ReplayPriceResponse:
        """The price of a charge in a book valid at one instant, as known at another, whatever has become of
        the book and the product. Fails with PRICE_MISSING, PRICE_NOT_DERIVABLE, RESOURCE_NOT_FOUND.
        """
        return await self._replay_price(request, timeout, metadata)


class CatalogServices:
    """The services of revops.catalog.v1."""

    def __init__(self, calls: Calls) -> None:
        self.products = ProductService(calls)
        """Products and their rate plans."""
        self.price_books = PriceBookService(calls)
        """Price books and their entries."""

# Generated from the contracts: never edited, `make proto` writes it anew.
"""revops.quoting.v1: messages and services."""

from revops_client.google.protobuf import Empty
from revops_client.revops.quoting.v1 import (
    AcceptQuoteRequest,
    CreateQuoteRequest,
    DeleteQuoteRequest,
    ExpireQuoteRequest,
    ExplainQuoteRequest,
    ExplainQuoteResponse,
    GetQuoteRequest,
    GetQuoteVersionRequest,
    ListQuoteVersionsRequest,
    ListQuoteVersionsResponse,
    ListQuotesRequest,
    ListQuotesResponse,
    MarkStaleQuotesRequest,
    Quote,
    QuoteAccepted,
    QuoteCharge,
    QuoteCreated,
    QuoteExpired,
    QuoteLine,
    QuoteReason,
    QuoteRejected,
    QuoteState,
    QuoteSubmitted,
    QuoteSuperseded,
    QuoteTotals,
    QuoteVersion,
    QuoteVersionState,
    QuoteWithdrawn,
    RejectQuoteRequest,
    RepriceQuoteRequest,
    ReviseQuoteRequest,
    SubmitQuoteRequest,
    SupersedeQuoteRequest,
    UpdateQuoteRequest,
    WithdrawQuoteRequest,
)
from revops_rpc.calls import Calls, Metadata, NONE
from revops_rpc.paging import Pages

__all__ = [
    "AcceptQuoteRequest",
    "CreateQuoteRequest",
    "DeleteQuoteRequest",
    "ExpireQuoteRequest",
    "ExplainQuoteRequest",
    "ExplainQuoteResponse",
    "GetQuoteRequest",
    "GetQuoteVersionRequest",
    "ListQuoteVersionsRequest",
    "ListQuoteVersionsResponse",
    "ListQuotesRequest",
    "ListQuotesResponse",
    "MarkStaleQuotesRequest",
    "Quote",
    "QuoteAccepted",
    "QuoteCharge",
    "QuoteCreated",
    "QuoteExpired",
    "QuoteLine",
    "QuoteReason",
    "QuoteRejected",
    "QuoteService",
    "QuoteState",
    "QuoteSubmitted",
    "QuoteSuperseded",
    "QuoteTotals",
    "QuoteVersion",
    "QuoteVersionState",
    "QuoteWithdrawn",
    "QuotingServices",
    "RejectQuoteRequest",
    "RepriceQuoteRequest",
    "ReviseQuoteRequest",
    "SubmitQuoteRequest",
    "SupersedeQuoteRequest",
    "UpdateQuoteRequest",
    "WithdrawQuoteRequest",
]


class QuoteService:
    """Quotes and their versions."""

    def __init__(self, calls: Calls) -> None:
        at = "/revops.quoting.v1.QuoteService/"
        self._create_quote = calls.unary(at + "CreateQuote", Quote, request_id=3)
        self._get_quote = calls.unary(at + "GetQuote", Quote)
        self._list_quotes = calls.paged(
            at + "ListQuotes",
            ListQuotesResponse,
            lambda page: page.quotes,
            page_token=2,
        )
        self._update_quote = calls.unary(at + "UpdateQuote", Quote, request_id=3)
        self._delete_quote = calls.unary(at + "DeleteQuote", Empty, request_id=3)
        self._reprice_quote = calls.unary(at + "RepriceQuote", Quote, request_id=3)
        self._submit_quote = calls.unary(at + "SubmitQuote", Quote, request_id=3)
        self._accept_quote = calls.unary(at + "AcceptQuote", Quote, request_id=3)
        self._reject_quote = calls.unary(at + "RejectQuote", Quote, request_id=3)
        self._withdraw_quote = calls.unary(at + "WithdrawQuote", Quote, request_id=3)
        self._revise_quote = calls.unary(at + "ReviseQuote", Quote, request_id=3)
        self._supersede_quote = calls.unary(at + "SupersedeQuote", Quote, request_id=3)
        self._explain_quote = calls.unary(at + "ExplainQuote", ExplainQuoteResponse)
        self._get_quote_version = calls.unary(at + "GetQuoteVersion", QuoteVersion)
        self._list_quote_versions = calls.paged(
            at + "ListQuoteVersions",
            ListQuoteVersionsResponse,
            lambda page: page.quote_versions,
            page_token=2,
        )

    async def create_quote(
        self, request: CreateQuoteRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Quote:
        """Creates a draft, priced at the present. Fails with PRICE_MISSING, QUOTE_DISCOUNT_TOO_LARGE,
        QUOTE_LINE_DUPLICATE, QUOTE_TOO_LARGE, LIMIT_REACHED. Idempotent by `request_id`.
        """
        return await self._create_quote(request, timeout, metadata)

    async def get_quote(
        self, request: GetQuoteRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Quote:
        """Gets a quote. Fails with RESOURCE_NOT_FOUND."""
        return await self._get_quote(request, timeout, metadata)

    def list_quotes(
        self, request: ListQuotesRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListQuotesResponse, Quote]:
        """Lists quotes."""
        return self._list_quotes(request, timeout, metadata)

    async def update_quote(
        self, request: UpdateQuoteRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Quote:
        """Changes a draft. All of it is priced again, at the present, if the account, the price scope, or the
        plan, quantity or discount of a line changes; else its prices stay pinned. A line keeps its identity
        by its `line_id`. Fails with QUOTE_STATE, PRICE_MISSING, QUOTE_DISCOUNT_TOO_LARGE,
        QUOTE_LINE_DUPLICATE, QUOTE_TOO_LARGE, ETAG_MISMATCH. Idempotent by `request_id`.
        """
        return await self._update_quote(request, timeout, metadata)

    async def delete_quote(
        self, request: DeleteQuoteRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> None:
        """Deletes a draft that was never submitted. Fails with QUOTE_STATE, ETAG_MISMATCH. Idempotent by
        `request_id`.
        """
        await self._delete_quote(request, timeout, metadata)

    async def reprice_quote(
        self, request: RepriceQuoteRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Quote:
        """Prices a draft again at the present. Fails with QUOTE_STATE, PRICE_MISSING,
        QUOTE_DISCOUNT_TOO_LARGE, QUOTE_TOO_LARGE, ETAG_MISMATCH. Idempotent by `request_id`.
        """
        return await self._reprice_quote(request, timeout, metadata)

    async def submit_quote(
        self, request: SubmitQuoteRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Quote:
        """DRAFT → SUBMITTED: freezes a version, numbers the quote and starts its validity. The pinned prices
        must be those that hold at the submit. Fails with QUOTE_STATE, QUOTE_WITHOUT_LINES,
        QUOTE_PRICES_STALE, PRICE_MISSING, QUOTE_ALREADY_EXPIRED, RESOURCE_NOT_FOUND (the legal entity),
        ETAG_MISMATCH. Idempotent by `request_id`.
        """
        return await self._submit_quote(request, timeout, metadata)

    async def accept_quote(
        self, request: AcceptQuoteRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Quote:
        """SUBMITTED → ACCEPTED. Fails with QUOTE_STATE, QUOTE_ALREADY_EXPIRED, ETAG_MISMATCH. Idempotent by
        `request_id`.
        """
        return await self._accept_quote(request, timeout, metadata)

    async def reject_quote(
        self, request: RejectQuoteRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Quote:
        """SUBMITTED → REJECTED by the customer. Fails with QUOTE_STATE, ETAG_MISMATCH. Idempotent by
        `request_id`.
        """
        return await self._reject_quote(request, timeout, metadata)

    async def withdraw_quote(
        self, request: WithdrawQuoteRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Quote:
        """DRAFT or SUBMITTED → WITHDRAWN by the seller. Fails with QUOTE_STATE, ETAG_MISMATCH. Idempotent by
        `request_id`.
        """
        return await self._withdraw_quote(request, timeout, metadata)

    async def revise_quote(
        self, request: ReviseQuoteRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Quote:
        """SUBMITTED → DRAFT of the next version; the frozen version is superseded. Fails with QUOTE_STATE,
        ETAG_MISMATCH. Idempotent by `request_id`.
        """
        return await self._revise_quote(request, timeout, metadata)

    async def supersede_quote(
        self, request: SupersedeQuoteRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Quote:
        """DRAFT or SUBMITTED → SUPERSEDED because another quote replaces it, which must be a draft, submitted
        or accepted. Fails with QUOTE_STATE (of either), QUOTE_SUPERSEDES_ITSELF, RESOURCE_NOT_FOUND,
        ETAG_MISMATCH. Idempotent by `request_id`.
        """
        return await self._supersede_quote(request, timeout, metadata)

    async def explain_quote(
        self, request: ExplainQuoteRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ExplainQuoteResponse:
        """Explains a quote's total, its margin and the net amount of each charge. Fails with
        RESOURCE_NOT_FOUND.
        """
        return await self._explain_quote(request, timeout, metadata)

    async def get_quote_version(
        self, request: GetQuoteVersionRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> QuoteVersion:
        """Gets a frozen version. Fails with RESOURCE_NOT_FOUND."""
        return await self._get_quote_version(request, timeout, metadata)

    def list_quote_versions(
        self, request: ListQuoteVersionsRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListQuoteVersionsResponse, QuoteVersion]:
        """Lists the frozen versions of a quote."""
        return self._list_quote_versions(request, timeout, metadata)


class QuotingServices:
    """The services of revops.quoting.v1."""

    def __init__(self, calls: Calls) -> None:
        self.quotes = QuoteService(calls)
        """Quotes and their versions."""

# Generated from the contracts: never edited, `make proto` writes it anew.
"""revops.quoting.v1: messages and services."""

from revops_client.google.protobuf import Empty
from revops_client.revops.quoting.v1 import (
    AcceptQuoteRequest,
    AmountMatrix,
    AmountRow,
    ApprovalBounds,
    ApprovalComment,
    ApprovalDecision,
    ApprovalDecisionVerdict,
    ApprovalDelegation,
    ApprovalMode,
    ApprovalNeed,
    ApprovalNeedKind,
    ApprovalPolicy,
    ApprovalPolicyPublished,
    ApprovalPolicyReason,
    ApprovalPolicyState,
    ApprovalPolicyVersion,
    ApprovalPolicyVersionState,
    ApprovalReason,
    ApprovalRequest,
    ApprovalRequestApproved,
    ApprovalRequestCreated,
    ApprovalRequestEscalated,
    ApprovalRequestRecalled,
    ApprovalRequestRejected,
    ApprovalRequestState,
    ApprovalRule,
    ApprovalSeat,
    ApprovalStep,
    ApprovalStepState,
    ApprovalTemplate,
    ApproveApprovalRequestRequest,
    ApprovedNames,
    Approver,
    CheckApprovalSubjectRequest,
    CheckBoundsRequest,
    CheckBoundsResponse,
    CheckBoundsResponseOutcome,
    CommentApprovalRequestRequest,
    Counterfactual,
    CreateApprovalDelegationRequest,
    CreateApprovalPolicyRequest,
    CreateQuoteRequest,
    CreateReportingLineRequest,
    DealFacts,
    DealMargins,
    DeleteApprovalDelegationRequest,
    DeleteApprovalPolicyRequest,
    DeleteQuoteRequest,
    DeleteReportingLineRequest,
    DryRunApprovalPolicyRequest,
    DryRunApprovalPolicyResponse,
    DryRunDifference,
    DryRunDifferenceChange,
    EscalateApprovalStepRequest,
    ExpireQuoteRequest,
    ExplainQuoteRequest,
    ExplainQuoteResponse,
    GetApprovalDelegationRequest,
    GetApprovalPolicyRequest,
    GetApprovalPolicyVersionRequest,
    GetApprovalRequestRequest,
    GetApprovalTemplateRequest,
    GetQuoteRequest,
    GetQuoteVersionRequest,
    GetReportingLineRequest,
    LineFacts,
    LineMargin,
    ListApprovalDelegationsRequest,
    ListApprovalDelegationsResponse,
    ListApprovalPoliciesRequest,
    ListApprovalPoliciesResponse,
    ListApprovalPolicyVersionsRequest,
    ListApprovalPolicyVersionsResponse,
    ListApprovalRequestsRequest,
    ListApprovalRequestsResponse,
    ListQuoteVersionsRequest,
    ListQuoteVersionsResponse,
    ListQuotesRequest,
    ListQuotesResponse,
    ListReportingLinesRequest,
    ListReportingLinesResponse,
    MarginBounds,
    MarkStaleQuotesRequest,
    PresentQuoteRequest,
    PreviewApprovalRequest,
    PublishApprovalPolicyRequest,
    Quote,
    QuoteAccepted,
    QuoteApproval,
    QuoteApprovalRequest,
    QuoteApprovalRequestOutcome,
    QuoteApprovalState,
    QuoteCharge,
    QuoteCreated,
    QuoteExpired,
    QuoteLine,
    QuotePresented,
    QuoteReason,
    QuoteRejected,
    QuoteState,
    QuoteSubmitted,
    QuoteSuperseded,
    QuoteTotals,
    QuoteVersion,
    QuoteVersionState,
    QuoteWithdrawn,
    RecallApprovalRequestRequest,
    RejectApprovalRequestRequest,
    RejectQuoteRequest,
    ReportingLine,
    RepriceQuoteRequest,
    RequestApprovalRequest,
    RetireApprovalPolicyRequest,
    ReviseQuoteRequest,
    SubmitQuoteRequest,
    SupersedeQuoteRequest,
    TemplateParameter,
    TemplateParameterType,
    TemplateParameterValue,
    UpdateApprovalPolicyRequest,
    UpdateQuoteRequest,
    UpdateReportingLineRequest,
    WithdrawQuoteRequest,
)
from revops_rpc.calls import Calls, Metadata, NONE
from revops_rpc.paging import Pages

__all__ = [
    "AcceptQuoteRequest",
    "AmountMatrix",
    "AmountRow",
    "ApprovalBounds",
    "ApprovalComment",
    "ApprovalDecision",
    "ApprovalDecisionVerdict",
    "ApprovalDelegation",
    "ApprovalMode",
    "ApprovalNeed",
    "ApprovalNeedKind",
    "ApprovalPolicy",
    "ApprovalPolicyPublished",
    "ApprovalPolicyReason",
    "ApprovalPolicyState",
    "ApprovalPolicyVersion",
    "ApprovalPolicyVersionState",
    "ApprovalReason",
    "ApprovalRequest",
    "ApprovalRequestApproved",
    "ApprovalRequestCreated",
    "ApprovalRequestEscalated",
    "ApprovalRequestRecalled",
    "ApprovalRequestRejected",
    "ApprovalRequestState",
    "ApprovalRule",
    "ApprovalSeat",
    "ApprovalService",
    "ApprovalStep",
    "ApprovalStepState",
    "ApprovalTemplate",
    "ApproveApprovalRequestRequest",
    "ApprovedNames",
    "Approver",
    "CheckApprovalSubjectRequest",
    "CheckBoundsRequest",
    "CheckBoundsResponse",
    "CheckBoundsResponseOutcome",
    "CommentApprovalRequestRequest",
    "Counterfactual",
    "CreateApprovalDelegationRequest",
    "CreateApprovalPolicyRequest",
    "CreateQuoteRequest",
    "CreateReportingLineRequest",
    "DealFacts",
    "DealMargins",
    "DeleteApprovalDelegationRequest",
    "DeleteApprovalPolicyRequest",
    "DeleteQuoteRequest",
    "DeleteReportingLineRequest",
    "DryRunApprovalPolicyRequest",
    "DryRunApprovalPolicyResponse",
    "DryRunDifference",
    "DryRunDifferenceChange",
    "EscalateApprovalStepRequest",
    "ExpireQuoteRequest",
    "ExplainQuoteRequest",
    "ExplainQuoteResponse",
    "GetApprovalDelegationRequest",
    "GetApprovalPolicyRequest",
    "GetApprovalPolicyVersionRequest",
    "GetApprovalRequestRequest",
    "GetApprovalTemplateRequest",
    "GetQuoteRequest",
    "GetQuoteVersionRequest",
    "GetReportingLineRequest",
    "LineFacts",
    "LineMargin",
    "ListApprovalDelegationsRequest",
    "ListApprovalDelegationsResponse",
    "ListApprovalPoliciesRequest",
    "ListApprovalPoliciesResponse",
    "ListApprovalPolicyVersionsRequest",
    "ListApprovalPolicyVersionsResponse",
    "ListApprovalRequestsRequest",
    "ListApprovalRequestsResponse",
    "ListQuoteVersionsRequest",
    "ListQuoteVersionsResponse",
    "ListQuotesRequest",
    "ListQuotesResponse",
    "ListReportingLinesRequest",
    "ListReportingLinesResponse",
    "MarginBounds",
    "MarkStaleQuotesRequest",
    "PresentQuoteRequest",
    "PreviewApprovalRequest",
    "PublishApprovalPolicyRequest",
    "Quote",
    "QuoteAccepted",
    "QuoteApproval",
    "QuoteApprovalRequest",
    "QuoteApprovalRequestOutcome",
    "QuoteApprovalState",
    "QuoteCharge",
    "QuoteCreated",
    "QuoteExpired",
    "QuoteLine",
    "QuotePresented",
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
    "RecallApprovalRequestRequest",
    "RejectApprovalRequestRequest",
    "RejectQuoteRequest",
    "ReportingLine",
    "RepriceQuoteRequest",
    "RequestApprovalRequest",
    "RetireApprovalPolicyRequest",
    "ReviseQuoteRequest",
    "SubmitQuoteRequest",
    "SupersedeQuoteRequest",
    "TemplateParameter",
    "TemplateParameterType",
    "TemplateParameterValue",
    "UpdateApprovalPolicyRequest",
    "UpdateQuoteRequest",
    "UpdateReportingLineRequest",
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
        self._present_quote = calls.unary(at + "PresentQuote", Quote, request_id=3)
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
        must be those that hold at the submit. Whether approval is needed is told in `approval`, and then
        asked for. Fails with QUOTE_STATE, QUOTE_WITHOUT_LINES, QUOTE_PRICES_STALE, PRICE_MISSING,
        QUOTE_ALREADY_EXPIRED, RESOURCE_NOT_FOUND (the legal entity), ETAG_MISMATCH. Idempotent by
        `request_id`.
        """
        return await self._submit_quote(request, timeout, metadata)

    async def present_quote(
        self, request: PresentQuoteRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Quote:
        """Notes when a submitted quote was shown to the customer, the first time; it stays SUBMITTED, and
        valid as long as it was. Fails with QUOTE_STATE, QUOTE_ALREADY_EXPIRED, QUOTE_APPROVAL_NEEDED,
        QUOTE_APPROVAL_PENDING, QUOTE_APPROVAL_REFUSED, ETAG_MISMATCH. Idempotent by `request_id`.
        """
        return await self._present_quote(request, timeout, metadata)

    async def accept_quote(
        self, request: AcceptQuoteRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Quote:
        """SUBMITTED → ACCEPTED. Fails with QUOTE_STATE, QUOTE_ALREADY_EXPIRED, QUOTE_APPROVAL_NEEDED,
        QUOTE_APPROVAL_PENDING, QUOTE_APPROVAL_REFUSED, ETAG_MISMATCH. Idempotent by `request_id`.
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


class ApprovalService:
    """Approvals: who has to agree to a deal, under which rules, and within which bounds the agreement holds.
    """

    def __init__(self, calls: Calls) -> None:
        at = "/revops.quoting.v1.ApprovalService/"
        self._create_approval_policy = calls.unary(at + "CreateApprovalPolicy", ApprovalPolicy, request_id=3)
        self._get_approval_policy = calls.unary(at + "GetApprovalPolicy", ApprovalPolicy)
        self._list_approval_policies = calls.paged(
            at + "ListApprovalPolicies",
            ListApprovalPoliciesResponse,
            lambda page: page.approval_policies,
            page_token=2,
        )
        self._update_approval_policy = calls.unary(at + "UpdateApprovalPolicy", ApprovalPolicy, request_id=3)
        self._delete_approval_policy = calls.unary(at + "DeleteApprovalPolicy", Empty, request_id=3)
        self._publish_approval_policy = calls.unary(at + "PublishApprovalPolicy", ApprovalPolicy, request_id=3)
        self._retire_approval_policy = calls.unary(at + "RetireApprovalPolicy", ApprovalPolicy, request_id=3)
        self._get_approval_policy_version = calls.unary(at + "GetApprovalPolicyVersion", ApprovalPolicyVersion)
        self._list_approval_policy_versions = calls.paged(
            at + "ListApprovalPolicyVersions",
            ListApprovalPolicyVersionsResponse,
            lambda page: page.approval_policy_versions,
            page_token=2,
        )
        self._dry_run_approval_policy = calls.unary(at + "DryRunApprovalPolicy", DryRunApprovalPolicyResponse)
        self._get_approval_template = calls.unary(at + "GetApprovalTemplate", ApprovalTemplate)
        self._create_approval_delegation = calls.unary(at + "CreateApprovalDelegation", ApprovalDelegation, request_id=3)
        self._get_approval_delegation = calls.unary(at + "GetApprovalDelegation", ApprovalDelegation)
        self._list_approval_delegations = calls.paged(
            at + "ListApprovalDelegations",
            ListApprovalDelegationsResponse,
            lambda page: page.approval_delegations,
            page_token=2,
        )
        self._delete_approval_delegation = calls.unary(at + "DeleteApprovalDelegation", Empty, request_id=3)
        self._create_reporting_line = calls.unary(at + "CreateReportingLine", ReportingLine, request_id=3)
        self._get_reporting_line = calls.unary(at + "GetReportingLine", ReportingLine)
        self._list_reporting_lines = calls.paged(
            at + "ListReportingLines",
            ListReportingLinesResponse,
            lambda page: page.reporting_lines,
            page_token=2,
        )
        self._update_reporting_line = calls.unary(at + "UpdateReportingLine", ReportingLine, request_id=3)
        self._delete_reporting_line = calls.unary(at + "DeleteReportingLine", Empty, request_id=3)
        self._check_bounds = calls.unary(at + "CheckBounds", CheckBoundsResponse)
        self._preview_approval = calls.unary(at + "PreviewApproval", CheckBoundsResponse)
        self._request_approval = calls.unary(at + "RequestApproval", ApprovalRequest, request_id=2)
        self._get_approval_request = calls.unary(at + "GetApprovalRequest", ApprovalRequest)
        self._list_approval_requests = calls.paged(
            at + "ListApprovalRequests",
            ListApprovalRequestsResponse,
            lambda page: page.approval_requests,
            page_token=2,
        )
        self._approve_approval_request = calls.unary(at + "ApproveApprovalRequest", ApprovalRequest, request_id=3)
        self._reject_approval_request = calls.unary(at + "RejectApprovalRequest", ApprovalRequest, request_id=3)
        self._recall_approval_request = calls.unary(at + "RecallApprovalRequest", ApprovalRequest, request_id=3)
        self._comment_approval_request = calls.unary(at + "CommentApprovalRequest", ApprovalRequest, request_id=3)

    async def create_approval_policy(
        self, request: CreateApprovalPolicyRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ApprovalPolicy:
        """Creates a draft of rules, or of a template: its rules then follow from its parameters. Fails with
        APPROVAL_RULE_INVALID, APPROVAL_PARAMETER_INVALID, APPROVAL_POLICY_TEMPLATED, RESOURCE_NOT_FOUND
        (template or calendar), RESOURCE_EXISTS, LIMIT_REACHED. Idempotent by `request_id`.
        """
        return await self._create_approval_policy(request, timeout, metadata)

    async def get_approval_policy(
        self, request: GetApprovalPolicyRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ApprovalPolicy:
        """Gets a policy. Fails with RESOURCE_NOT_FOUND."""
        return await self._get_approval_policy(request, timeout, metadata)

    def list_approval_policies(
        self, request: ListApprovalPoliciesRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListApprovalPoliciesResponse, ApprovalPolicy]:
        """Lists them."""
        return self._list_approval_policies(request, timeout, metadata)

    async def update_approval_policy(
        self, request: UpdateApprovalPolicyRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ApprovalPolicy:
        """Changes what the next version will say; the one in force stays. Of a policy made from a template
        only the parameters are changed, within their ranges. Fails with APPROVAL_POLICY_STATE,
        APPROVAL_RULE_INVALID, APPROVAL_PARAMETER_INVALID, APPROVAL_POLICY_TEMPLATED, RESOURCE_NOT_FOUND,
        ETAG_MISMATCH. Idempotent by `request_id`.
        """
        return await self._update_approval_policy(request, timeout, metadata)

    async def delete_approval_policy(
        self, request: DeleteApprovalPolicyRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> None:
        """Deletes a draft that was never published. Fails with APPROVAL_POLICY_STATE, ETAG_MISMATCH.
        Idempotent by `request_id`.
        """
        await self._delete_approval_policy(request, timeout, metadata)

    async def publish_approval_policy(
        self, request: PublishApprovalPolicyRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ApprovalPolicy:
        """DRAFT or ACTIVE → ACTIVE: freezes the next version, which decides from now on. Requests under way
        finish on theirs. Fails with APPROVAL_POLICY_STATE, APPROVAL_POLICY_EMPTY, ETAG_MISMATCH. Idempotent
        by `request_id`.
        """
        return await self._publish_approval_policy(request, timeout, metadata)

    async def retire_approval_policy(
        self, request: RetireApprovalPolicyRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ApprovalPolicy:
        """ACTIVE → RETIRED: it asks for no approval any more. Fails with APPROVAL_POLICY_STATE,
        ETAG_MISMATCH. Idempotent by `request_id`.
        """
        return await self._retire_approval_policy(request, timeout, metadata)

    async def get_approval_policy_version(
        self, request: GetApprovalPolicyVersionRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ApprovalPolicyVersion:
        """Gets a frozen version. Fails with RESOURCE_NOT_FOUND."""
        return await self._get_approval_policy_version(request, timeout, metadata)

    def list_approval_policy_versions(
        self, request: ListApprovalPolicyVersionsRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListApprovalPolicyVersionsResponse, ApprovalPolicyVersion]:
        """Lists the versions of a policy."""
        return self._list_approval_policy_versions(request, timeout, metadata)

    async def dry_run_approval_policy(
        self, request: DryRunApprovalPolicyRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> DryRunApprovalPolicyResponse:
        """Applies what the next version of a policy would say, and what is in force, to quotes of the past, a
        page at a time, and tells the difference: which would have needed approval under either, by whom.
        Fails with RESOURCE_NOT_FOUND, and FIELD_INVALID for a wrong filter.
        """
        return await self._dry_run_approval_policy(request, timeout, metadata)

    async def get_approval_template(
        self, request: GetApprovalTemplateRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ApprovalTemplate:
        """Gets a template with its parameters; `approvalTemplates/deal-approval` is built in, for everybody
        alike. Fails with RESOURCE_NOT_FOUND.
        """
        return await self._get_approval_template(request, timeout, metadata)

    async def create_approval_delegation(
        self, request: CreateApprovalDelegationRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ApprovalDelegation:
        """Has somebody decide in the caller's stead between two days. Fails with DELEGATION_TO_ONESELF,
        DELEGATION_LOOP, DELEGATION_PERIOD, RESOURCE_EXISTS. Idempotent by `request_id`.
        """
        return await self._create_approval_delegation(request, timeout, metadata)

    async def get_approval_delegation(
        self, request: GetApprovalDelegationRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ApprovalDelegation:
        """Gets a delegation. Fails with RESOURCE_NOT_FOUND."""
        return await self._get_approval_delegation(request, timeout, metadata)

    def list_approval_delegations(
        self, request: ListApprovalDelegationsRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListApprovalDelegationsResponse, ApprovalDelegation]:
        """Lists them."""
        return self._list_approval_delegations(request, timeout, metadata)

    async def delete_approval_delegation(
        self, request: DeleteApprovalDelegationRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> None:
        """Ends a delegation; what was decided by it stays. Fails with ETAG_MISMATCH. Idempotent by
        `request_id`.
        """
        await self._delete_approval_delegation(request, timeout, metadata)

    async def create_reporting_line(
        self, request: CreateReportingLineRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ReportingLine:
        """Says who manages somebody. Fails with REPORTING_LOOP, RESOURCE_EXISTS. Idempotent by `request_id`.
        """
        return await self._create_reporting_line(request, timeout, metadata)

    async def get_reporting_line(
        self, request: GetReportingLineRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ReportingLine:
        """Gets a reporting line. Fails with RESOURCE_NOT_FOUND."""
        return await self._get_reporting_line(request, timeout, metadata)

    def list_reporting_lines(
        self, request: ListReportingLinesRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListReportingLinesResponse, ReportingLine]:
        """Lists them."""
        return self._list_reporting_lines(request, timeout, metadata)

    async def update_reporting_line(
        self, request: UpdateReportingLineRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ReportingLine:
        """Changes the manager. Fails with REPORTING_LOOP, ETAG_MISMATCH. Idempotent by `request_id`."""
        return await self._update_reporting_line(request, timeout, metadata)

    async def delete_reporting_line(
        self, request: DeleteReportingLineRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> None:
        """Removes it. Fails with ETAG_MISMATCH. Idempotent by `request_id`."""
        await self._delete_reporting_line(request, timeout, metadata)

    async def check_bounds(
        self, request: CheckBoundsRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> CheckBoundsResponse:
        """Whether a deal needs approval, is granted by a request within whose bounds it lies, or waits for
        one; with the steps that it would take, the reasons, and the smallest changes with which it would need
        none. Fails with RESOURCE_NOT_FOUND, and PERMISSION_REQUIRED for margins of a caller who may not read
        them.
        """
        return await self._check_bounds(request, timeout, metadata)

    async def preview_approval(
        self, request: PreviewApprovalRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> CheckBoundsResponse:
        """The same for a quote as it is, before it is submitted. Fails with RESOURCE_NOT_FOUND."""
        return await self._preview_approval(request, timeout, metadata)

    async def request_approval(
        self, request: RequestApprovalRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ApprovalRequest:
        """Asks for the approval of a submitted quote, where none is under way: after a recall, say. Fails
        with APPROVAL_SUBJECT_CHANGED, APPROVAL_NOT_NEEDED, RESOURCE_NOT_FOUND, RESOURCE_EXISTS. Idempotent by
        `request_id`.
        """
        return await self._request_approval(request, timeout, metadata)

    async def get_approval_request(
        self, request: GetApprovalRequestRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ApprovalRequest:
        """Gets an approval request. Fails with RESOURCE_NOT_FOUND."""
        return await self._get_approval_request(request, timeout, metadata)

    def list_approval_requests(
        self, request: ListApprovalRequestsRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListApprovalRequestsResponse, ApprovalRequest]:
        """Lists them."""
        return self._list_approval_requests(request, timeout, metadata)

    async def approve_approval_request(
        self, request: ApproveApprovalRequestRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ApprovalRequest:
        """Approves every open step that the caller, or somebody in whose stead the caller decides, is asked
        in, or the one named. Fails with APPROVAL_REQUEST_STATE, APPROVAL_SUBJECT_CHANGED, APPROVAL_NOT_ASKED,
        APPROVAL_ALREADY_DECIDED, APPROVAL_CONFLICT_OF_INTEREST, APPROVAL_BOUNDS_EXCLUDE, ETAG_MISMATCH.
        Idempotent by `request_id`.
        """
        return await self._approve_approval_request(request, timeout, metadata)

    async def reject_approval_request(
        self, request: RejectApprovalRequestRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ApprovalRequest:
        """Rejects the request: one rejection is enough, in any step that is open. Fails with
        APPROVAL_REQUEST_STATE, APPROVAL_NOT_ASKED, APPROVAL_ALREADY_DECIDED, APPROVAL_CONFLICT_OF_INTEREST,
        ETAG_MISMATCH. Idempotent by `request_id`.
        """
        return await self._reject_approval_request(request, timeout, metadata)

    async def recall_approval_request(
        self, request: RecallApprovalRequestRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ApprovalRequest:
        """Takes a request back that is not decided. Fails with APPROVAL_REQUEST_STATE, ETAG_MISMATCH.
        Idempotent by `request_id`.
        """
        return await self._recall_approval_request(request, timeout, metadata)

    async def comment_approval_request(
        self, request: CommentApprovalRequestRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ApprovalRequest:
        """Adds a comment, in any state. Fails with APPROVAL_COMMENTS_FULL, ETAG_MISMATCH. Idempotent by
        `request_id`.
        """
        return await self._comment_approval_request(request, timeout, metadata)


class QuotingServices:
    """The services of revops.quoting.v1."""

    def __init__(self, calls: Calls) -> None:
        self.quotes = QuoteService(calls)
        """Quotes and their versions."""
        self.approvals = ApprovalService(calls)
        """Approvals: who has to agree to a deal, under which rules, and within which bounds the agreement
        holds.
        """

"""Quoting: what is offered, and at which price."""

from revops_mesh.kernel.modules import Module

from .approvals.people import ApprovalDelegation, ReportingLine
from .approvals.policies import ApprovalPolicy, ApprovalPolicyVersion
from .approvals.request import ApprovalRequest
from .approvals.service import ApprovalService
from .quotes.domain import Quote
from .quotes.service import QuoteService
from .quotes.versions import QuoteVersion

MODULES = (
    # One entry a module.
    Module(
        "revops.quoting.v1.ApprovalService",
        ApprovalService(),
        (ApprovalPolicy, ApprovalPolicyVersion, ApprovalRequest, ApprovalDelegation, ReportingLine),
    ),
    Module("revops.quoting.v1.QuoteService", QuoteService(), (Quote, QuoteVersion)),
)

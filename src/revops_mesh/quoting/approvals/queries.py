"""Conditions over the columns of approvals; `$1` is the tenant."""

from revops.quoting.v1 import approval_policies_pb2 as policies
from revops.quoting.v1 import approvals_pb2 as pb

IN_FORCE = f"state={policies.ApprovalPolicyVersion.STATE_CURRENT:d}"
"""Versions that decide."""

OF_SUBJECT = "subject=$2"
"""Requests about one subject."""

OPEN_OF_SUBJECT = f"subject=$2 AND state IN ({pb.ApprovalRequest.STATE_IN_PROGRESS:d},{pb.ApprovalRequest.STATE_ESCALATED:d})"
"""Those that wait for decisions."""

LASTING = "end_date>=$2"
"""Delegations that last until a day or longer."""

MANDATES = "delegate=$2 AND start_date<=$3 AND end_date>=$3"
"""Delegations to somebody that hold on a day."""

MANAGED = "employee=$2"
"""The reporting line of somebody."""

"""A refusal as the caller gets it (AIP-193): the status code, and the reason that the contract documents.

Source: google.rpc's error details in `grpc-status-details-bin`. `retry_after` is in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import betterproto2
import grpc

from revops_rpc.google import BadRequest, ErrorInfo, Packed, RetryInfo, Status

DETAILS = "grpc-status-details-bin"
CODES = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True)
class FieldViolation:
    """A field of the request that was not accepted, as in `quote.lines[3].quantity`, and why."""

    field: str
    description: str


class RevopsError(Exception):
    """A call that was refused or did not get through. `reason` is empty if it was not the member that refused."""

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        reason: str = "",
        domain: str = "",
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[FieldViolation] = (),
        retry_after: float | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(f"{reason or code.name}: {message}")
        self.code = code
        self.message = message
        self.reason = reason
        """Name of a value of a `…Reason` enum, as in `QUOTE_STATE`."""
        self.domain = domain
        """Package of the contract that documents the reason, as in `revops.quoting.v1`."""
        self.metadata = dict(metadata or {})
        """What the reason speaks of, as in `{"quote": "quotes/a1", "state": "REJECTED", "allowed": "SUBMITTED"}`."""
        self.violations = tuple(violations)
        self.retry_after = retry_after
        """Seconds after which the call may succeed; None if the member did not say."""
        self.request_id = request_id
        """The id the change was sent with: repeated with it, the change happens once, whatever became of this call."""

    def because(self, reason: betterproto2.Enum) -> bool:
        """Whether it was refused for that reason: `error.because(QuoteReason.QUOTE_STATE)`."""
        return self.reason == (reason.proto_name or reason.name)


def refusal(error: grpc.aio.AioRpcError, request_id: str = "") -> RevopsError:
    """The refusal in a failed gRPC call."""
    # Not by way of a dict: metadata of older releases of gRPC does not become one.
    packed = next((value for key, value in error.trailing_metadata() or () if key == DETAILS), b"")
    status = Status.parse(packed if isinstance(packed, bytes) else packed.encode())
    return _refusal(error.code(), error.details() or "", status.details, request_id)


def failure(code: int, message: str, details: Sequence[Packed]) -> RevopsError:
    """The refusal in a google.rpc.Status, with which a long-running operation ends."""
    return _refusal(CODES.get(code, grpc.StatusCode.UNKNOWN), message, details, "")


def _refusal(code: grpc.StatusCode, message: str, details: Sequence[Packed], request_id: str) -> RevopsError:
    info, bad, retry = ErrorInfo(), BadRequest(), RetryInfo()
    for detail in details:
        info = detail.unpack("google.rpc.ErrorInfo", ErrorInfo) or info
        bad = detail.unpack("google.rpc.BadRequest", BadRequest) or bad
        retry = detail.unpack("google.rpc.RetryInfo", RetryInfo) or retry
    delay = retry.retry_delay
    return RevopsError(
        code,
        message,
        reason=info.reason,
        domain=info.domain,
        metadata=info.metadata,
        violations=[FieldViolation(each.field, each.description) for each in bad.field_violations],
        retry_after=None if delay is None else delay.seconds + delay.nanos / 1e9,
        request_id=request_id,
    )

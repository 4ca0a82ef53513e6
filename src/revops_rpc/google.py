"""What AIP-193 and AIP-151 prescribe of google.rpc and google.longrunning: the details of a refusal, and an operation.

Written here and not taken from the generated messages, which stand above this package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import betterproto2

Detail = TypeVar("Detail", bound=betterproto2.Message)


@dataclass(eq=False, repr=False)
class Packed(betterproto2.Message):
    """google.protobuf.Any."""

    type_url: str = betterproto2.field(1, betterproto2.TYPE_STRING)
    value: bytes = betterproto2.field(2, betterproto2.TYPE_BYTES)

    def unpack(self, full_name: str, message: type[Detail]) -> Detail | None:
        """What is in it, if it is a message of that full name."""
        return message.parse(self.value) if self.type_url.rpartition("/")[2] == full_name else None


@dataclass(eq=False, repr=False)
class Status(betterproto2.Message):
    """google.rpc.Status."""

    code: int = betterproto2.field(1, betterproto2.TYPE_INT32)
    message: str = betterproto2.field(2, betterproto2.TYPE_STRING)
    details: list[Packed] = betterproto2.field(3, betterproto2.TYPE_MESSAGE, repeated=True)


@dataclass(eq=False, repr=False)
class ErrorInfo(betterproto2.Message):
    """google.rpc.ErrorInfo."""

    reason: str = betterproto2.field(1, betterproto2.TYPE_STRING)
    domain: str = betterproto2.field(2, betterproto2.TYPE_STRING)
    metadata: dict[str, str] = betterproto2.field(
        3, betterproto2.TYPE_MAP, map_meta=betterproto2.map_meta(betterproto2.TYPE_STRING, betterproto2.TYPE_STRING)
    )


@dataclass(eq=False, repr=False)
class Violation(betterproto2.Message):
    """google.rpc.BadRequest.FieldViolation."""

    field: str = betterproto2.field(1, betterproto2.TYPE_STRING)
    description: str = betterproto2.field(2, betterproto2.TYPE_STRING)


@dataclass(eq=False, repr=False)
class BadRequest(betterproto2.Message):
    """google.rpc.BadRequest."""

    field_violations: list[Violation] = betterproto2.field(1, betterproto2.TYPE_MESSAGE, repeated=True)


@dataclass(eq=False, repr=False)
class Span(betterproto2.Message):
    """google.protobuf.Duration."""

    seconds: int = betterproto2.field(1, betterproto2.TYPE_INT64)
    nanos: int = betterproto2.field(2, betterproto2.TYPE_INT32)


@dataclass(eq=False, repr=False)
class RetryInfo(betterproto2.Message):
    """google.rpc.RetryInfo."""

    retry_delay: Span | None = betterproto2.field(1, betterproto2.TYPE_MESSAGE, optional=True)


@dataclass(eq=False, repr=False)
class Operation(betterproto2.Message):
    """google.longrunning.Operation."""

    name: str = betterproto2.field(1, betterproto2.TYPE_STRING)
    metadata: Packed | None = betterproto2.field(2, betterproto2.TYPE_MESSAGE, optional=True)
    done: bool = betterproto2.field(3, betterproto2.TYPE_BOOL)
    error: Status | None = betterproto2.field(4, betterproto2.TYPE_MESSAGE, optional=True, group="result")
    response: Packed | None = betterproto2.field(5, betterproto2.TYPE_MESSAGE, optional=True, group="result")


@dataclass(eq=False, repr=False)
class OperationRequest(betterproto2.Message):
    """google.longrunning.GetOperationRequest and CancelOperationRequest."""

    name: str = betterproto2.field(1, betterproto2.TYPE_STRING)


@dataclass(eq=False, repr=False)
class Nothing(betterproto2.Message):
    """google.protobuf.Empty."""

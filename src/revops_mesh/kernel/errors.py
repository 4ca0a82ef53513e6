"""Refusals as AIP-193 statuses: a canonical code, one `ErrorInfo` and its metadata.

The code of a reason is written in the contract (`revops.options.v1.code` on the enum value): a module names a
reason and never chooses a status. Metadata values are the values of the message, so both say the same.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from google.protobuf.descriptor import EnumDescriptor
from google.rpc import error_details_pb2, status_pb2
from revops.options.v1 import options_pb2
from revops.platform.v1 import reasons_pb2 as platform

if TYPE_CHECKING:
    from .principal import Principal


class Reasons(Protocol):
    """An enum of reasons, as generated."""

    DESCRIPTOR: EnumDescriptor


class Failure(Exception):
    """A refusal that the caller can act on. Anything else that escapes a handler is a fault (`FAULT`, INTERNAL)."""

    def __init__(self, reasons: Reasons, reason: int, message: str, /, **metadata: object) -> None:
        """`message` is a format string over `metadata`; None values are left out of the metadata."""
        value = reasons.DESCRIPTOR.values_by_number[reason]
        self.code: int = value.GetOptions().Extensions[options_pb2.code]
        self.reason: str = value.name
        self.domain: str = reasons.DESCRIPTOR.file.package
        self.metadata = {key: str(item) for key, item in metadata.items() if item is not None}
        self.violations: Sequence[tuple[str, str]] = ()
        self.retry_after: float | None = None
        self.suspect: Principal | None = None
        """Whom a refused caller claimed to be, if the tenant's audit log shall hear of it."""
        super().__init__(message.format(**metadata))

    def retry(self, seconds: float) -> "Failure":
        """The same refusal with `RetryInfo`: the call may be repeated after so many seconds."""
        self.retry_after = seconds
        return self

    @classmethod
    def told(cls, status: status_pb2.Status) -> "Failure | None":
        """The refusal that another member's status is; None if it carries no reason."""
        info, bad, again = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
        for detail in status.details:
            any(detail.Unpack(each) for each in (info, bad, again))
        if not info.reason:
            return None
        failure = cls.__new__(cls)
        Exception.__init__(failure, status.message)
        failure.code, failure.reason, failure.domain, failure.metadata = (
            status.code,
            info.reason,
            info.domain,
            dict(info.metadata),
        )
        failure.violations = [(each.field, each.description) for each in bad.field_violations]
        failure.retry_after = again.retry_delay.ToTimedelta().total_seconds() if again.HasField("retry_delay") else None
        return failure

    def status(self) -> status_pb2.Status:
        """The refusal on the wire."""
        status = status_pb2.Status(code=self.code, message=str(self))
        status.details.add().Pack(error_details_pb2.ErrorInfo(reason=self.reason, domain=self.domain, metadata=self.metadata))
        if self.violations:
            bad = error_details_pb2.BadRequest()
            for field, description in self.violations:
                bad.field_violations.add(field=field, description=description)
            status.details.add().Pack(bad)
        if self.retry_after is not None:
            info = error_details_pb2.RetryInfo()
            info.retry_delay.FromMilliseconds(round(self.retry_after * 1000))
            status.details.add().Pack(info)
        return status


class Broken(Exception):
    """An invariant does not hold: the code or the contract is wrong, not the caller."""


class BadField(ValueError):
    """A value of one request field is malformed or out of range; answered as `FIELD_INVALID`."""

    def __init__(self, field: str, description: str) -> None:
        super().__init__(f"{field}: {description}")
        self.field, self.description = field, description


def refuse(reason: "platform.PlatformReason.ValueType", message: str, /, **metadata: object) -> Failure:
    """A refusal for one of the platform's own reasons."""
    return Failure(platform.PlatformReason, reason, message, **metadata)


MOST_VIOLATIONS, LONGEST_TEXT = 20, 300
"""Of a refusal: it travels as metadata, which clients cap at 8 KB."""


def invalid(violations: Sequence[tuple[str, str]]) -> Failure:
    """The refusal of malformed fields: at least one pair of field path and description; the first twenty are told."""
    violations = [(field[:LONGEST_TEXT], text[:LONGEST_TEXT]) for field, text in violations[:MOST_VIOLATIONS]]
    text = "; ".join(f"{field}: {description}" for field, description in violations[:5])
    failure = refuse(platform.FIELD_INVALID, "{problem}", field=violations[0][0], problem=text)
    del failure.metadata["problem"]
    failure.violations = violations
    return failure


def not_found(name: str) -> Failure:
    """The refusal of a name that does not exist for this caller."""
    return refuse(platform.RESOURCE_NOT_FOUND, "{name} was not found.", name=name[:LONGEST_TEXT])


def edition_required(required: "options_pb2.Edition.ValueType", edition: "options_pb2.Edition.ValueType") -> Failure:
    """The refusal of what a tenant's edition does not include, with the least that does."""
    needed, had = (options_pb2.Edition.Name(each).removeprefix("EDITION_") for each in (required, edition))
    return refuse(
        platform.EDITION_REQUIRED, "It needs the {required} edition; the tenant has {edition}.", required=needed, edition=had
    )  # fmt: skip


def stale(name: str) -> Failure:
    """The refusal of a write that was based on an older revision."""
    return refuse(platform.ETAG_MISMATCH, "{name} changed since it was read: read it again and repeat.", name=name)

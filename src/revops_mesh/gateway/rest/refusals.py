"""Refusals over HTTP: `google.rpc.Status` as the JSON of AIP-193."""

import math
import re
import typing
from collections.abc import Iterable
from dataclasses import dataclass

import orjson
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from revops.platform.v1 import reasons_pb2 as platform

from revops_mesh.gateway.protojson import writer
from revops_mesh.kernel.errors import Failure, invalid, refuse

from .statuses import http_status

Headers = list[tuple[bytes, bytes]]

_write = writer(Any.DESCRIPTOR)


@dataclass(eq=False)
class Refused(Exception):
    """A call was refused: by the member, or by the bridge before it got there."""

    status: status_pb2.Status
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """Of the answer, beside those that follow from the status."""

    def __str__(self) -> str:
        return str(self.status.message)

    @property
    def reason(self) -> str:
        """Of its `ErrorInfo`, "" if it has none."""
        found: str = next((info.reason for info in _details(self.status, error_details_pb2.ErrorInfo)), "")
        return found

    @property
    def http(self) -> int:
        """The HTTP status."""
        return http_status(self._code, self.reason)

    @property
    def _code(self) -> str:
        """The canonical status by name."""
        return code_pb2.Code.Name(self.status.code) if self.status.code in code_pb2.Code.values() else "UNKNOWN"

    def _challenge(self) -> bytes | None:
        """What `WWW-Authenticate` says: nothing of an error if no credentials were sent (RFC 6750 section 3)."""
        if self.http == 401 and self.reason == "CREDENTIALS_MISSING":
            return b'Bearer realm="revops"'
        if self.http == 401:
            said = _UNQUOTED.sub(" ", self.status.message)
            return f'Bearer realm="revops", error="invalid_token", error_description="{said}"'.encode()
        if self.reason == "PERMISSION_REQUIRED":
            info = next(iter(_details(self.status, error_details_pb2.ErrorInfo)))
            return f'Bearer realm="revops", error="insufficient_scope", scope="{info.metadata["permission"]}"'.encode()
        return None

    def document(self) -> dict[str, object]:
        """The JSON of AIP-193."""
        details = [_write(detail) for detail in self.status.details]
        error = {"code": self.http, "message": self.status.message, "status": self._code, "details": details}
        return {"error": error}

    def answer(self) -> tuple[int, Headers, bytes]:
        """HTTP status, headers and body."""
        headers: Headers = [(b"content-type", b"application/json"), *self.headers]
        for info in _details(self.status, error_details_pb2.RetryInfo):
            seconds = info.retry_delay.seconds + info.retry_delay.nanos / 1e9
            headers.append((b"retry-after", str(max(1, math.ceil(seconds))).encode()))
        if (challenge := self._challenge()) is not None:
            headers.append((b"www-authenticate", challenge))
        return self.http, headers, orjson.dumps(self.document())


_UNQUOTED = re.compile(r"[^ !#-\[\]-~]")
"""What a description may not have (RFC 6750 section 3)."""


def refused(failure: Failure, *headers: tuple[bytes, bytes]) -> Refused:
    """A refusal in the words of the contract."""
    return Refused(failure.status(), headers)


def bad_field(field: str, description: str) -> Refused:
    """The refusal of one malformed field."""
    return refused(invalid([(field, description)]))


def bad_header(header: str, problem: str) -> Refused:
    """The refusal of one header; `problem` continues its name."""
    return refused(refuse(platform.HTTP_HEADER_INVALID, f"{{header}} {_literal(problem)}.", header=header))


def no_path(path: str) -> Refused:
    """Nothing is there."""
    return refused(refuse(platform.HTTP_PATH_UNKNOWN, "No method is reached by {path}.", path=path[:300]))


def no_verb(verb: str, allowed: Iterable[str]) -> Refused:
    """Something is there, but not for this verb."""
    listed = ", ".join(allowed)
    said = "{verb} is not served here; {allowed} are."
    return refused(refuse(platform.HTTP_VERB_UNKNOWN, said, verb=verb[:20], allowed=listed), (b"allow", listed.encode()))


def too_large(most: int) -> Refused:
    """The body is beyond what is read; the connection ends, because the rest of it may never."""
    said = "The body is larger than {most} bytes."
    return refused(refuse(platform.HTTP_BODY_TOO_LARGE, said, most=most), (b"connection", b"close"))


def unknown_media(header: str, problem: str) -> Refused:
    """The body cannot be read; `problem` continues the name of the header that says so."""
    return refused(refuse(platform.HTTP_MEDIA_TYPE_UNKNOWN, f"{{header}} {_literal(problem)}.", header=header))


def _literal(text: str) -> str:
    """A text of the caller inside a format string."""
    return text.replace("{", "{{").replace("}", "}}")


def _details(status: status_pb2.Status, kind: type[Message]) -> Iterable[typing.Any]:
    for detail in status.details:
        found = kind()
        if detail.Unpack(found):
            yield found

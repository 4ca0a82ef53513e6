"""`POST /oauth2/token`: client credentials become an access token. Sources: RFC 6749 sections 2.3.1, 4.4 and 5, RFC 6750.

It is IssueToken in the words of OAuth: `client_id` and `client_secret` are an API key up to its last `_` and after it. The member
alone judges them; nothing is kept here.
"""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import orjson
from google.rpc import code_pb2
from revops.platform.v1 import tokens_pb2 as pb

from revops_mesh.gateway.protojson import writer

from . import content
from .bridge import JSON, Send, peer, reply
from .doors import Door, Sender
from .refusals import Refused, no_verb

PATH = "/oauth2/token"
ISSUE = "/revops.platform.v1.TokenService/IssueToken"
FORM = b"application/x-www-form-urlencoded"
MOST_PARAMETERS = 20
NOT_STORED = [*JSON, (b"cache-control", b"no-store"), (b"pragma", b"no-cache")]

_CLIENT = re.compile(r"rk_[0-9A-Za-z_]{1,200}").fullmatch
_SECRET = re.compile(r"[0-9A-Za-z]{1,200}").fullmatch
_write = writer(pb.AccessToken.DESCRIPTOR)


class OAuthError(Exception):
    """A refusal by RFC 6749 section 5.2."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error


class TokenEndpoint:
    """The ASGI application at `PATH`."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def __call__(self, scope: MutableMapping[str, Any], receive: content.Receive, send: Send) -> None:
        """Answers one request. Raises `Refused` for what OAuth has no word for, as when the member does not answer."""
        headers = dict(scope["headers"])
        if scope["method"] != "POST":
            raise no_verb(scope["method"], ("POST",))
        try:
            form = await _form(scope, receive, headers)
            credential = _credential(form, headers)
            request = pb.IssueTokenRequest(scopes=form.get("scope", "").split())
            sender = Sender({"authorization": f"Bearer {credential}"}, peer(scope), content.deadline(headers))
            token = await self._door.answer(ISSUE, request, sender)
        except OAuthError as error:
            return await _refuse(send, error)
        except Refused as refused:
            return await _refuse(send, _translated(refused))
        await reply(send, 200, NOT_STORED, orjson.dumps(_write(token)))


async def _form(scope: Mapping[str, Any], receive: content.Receive, headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """The parameters; empty ones count as left out, unknown ones are kept."""
    if scope["query_string"]:
        raise OAuthError("invalid_request", "Parameters belong in the body: a URL is logged.")
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != FORM:
        raise OAuthError("invalid_request", f"Content-Type must be {FORM.decode()}.")
    try:
        sent = (await content.body(receive, headers)).decode("ascii")
        pairs = parse_qsl(
            sent, keep_blank_values=True, strict_parsing=bool(sent), errors="strict", max_num_fields=MOST_PARAMETERS
        )
    except ValueError:
        raise OAuthError("invalid_request", "The body is no form.") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise OAuthError("invalid_request", "A parameter is given twice.")
    if not form.get("grant_type"):
        raise OAuthError("invalid_request", "grant_type is missing.")
    if form["grant_type"] != "client_credentials":
        raise OAuthError("unsupported_grant_type", "Only client_credentials are served.")
    return form


def _credential(form: Mapping[str, str], headers: Mapping[bytes, bytes]) -> str:
    """The API key that the client presents, in the body or by HTTP Basic, but not both."""
    client, secret = form.get("client_id", ""), form.get("client_secret", "")
    if (sent := headers.get(b"authorization")) is not None:
        if secret:
            raise OAuthError("invalid_request", "The client authenticates twice: send Authorization or client_secret.")
        named, secret = _basic(sent)
        if client and client != named:
            raise OAuthError("invalid_request", "client_id differs from that in Authorization.")
        client = named
    if not (_CLIENT(client) and _SECRET(secret)):
        raise _no_client()
    return f"{client}_{secret}"


def _basic(sent: bytes) -> tuple[str, str]:
    scheme, _, encoded = sent.partition(b" ")
    try:
        client, colon, secret = b64decode(encoded.strip(), validate=True).decode("ascii").partition(":")
    except (Error, UnicodeDecodeError):
        raise _no_client() from None
    if scheme.lower() != b"basic" or not colon:
        raise _no_client()
    return unquote_plus(client), unquote_plus(secret)


def _no_client() -> OAuthError:
    return OAuthError("invalid_client", "Unknown client, or wrong secret.")


def _translated(refused: Refused) -> OAuthError:
    """What the member refused in OAuth's words; raises it as it is if it has none, as for limits and outages."""
    match refused.reason:
        case "CREDENTIALS_EXPIRED":
            return OAuthError("invalid_client", "The API key has expired.")
        case "TOKEN_SCOPE_EXCEEDED" | "FIELD_INVALID":
            return OAuthError("invalid_scope", "The account may do nothing within a scope, or that is none.")
        case "TENANT_SUSPENDED":
            return OAuthError("unauthorized_client", "The tenant is suspended.")
    if refused.status.code == code_pb2.UNAUTHENTICATED:
        return _no_client()
    raise refused


async def _refuse(send: Send, error: OAuthError) -> None:
    body = orjson.dumps({"error": error.error, "error_description": str(error)})
    if error.error == "invalid_client":
        return await reply(send, 401, [*NOT_STORED, (b"www-authenticate", b'Basic realm="revops"')], body)
    await reply(send, 400, NOT_STORED, body)

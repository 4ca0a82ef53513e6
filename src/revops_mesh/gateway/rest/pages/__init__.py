"""What the bridge serves beside the methods: the OpenAPI document, and the same as pages that people read.

Pages are made once and kept; they need no JavaScript and no other host (`Content-Security-Policy`).
"""

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import orjson
import revops.options.v1.options_pb2 as generated
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from revops_mesh.gateway.rest.bridge import Application
from revops_mesh.gateway.rest.content import LEAST_COMPRESSED, Receive, compressed, takes_gzip
from revops_mesh.gateway.rest.pages.guide import Guide, guide
from revops_mesh.gateway.rest.refusals import no_verb

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

SECURITY = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
LONGEST_QUERY = 200
HTML, CSS, SCRIPT, SVG = "text/html; charset=utf-8", "text/css; charset=utf-8", "text/javascript; charset=utf-8", "image/svg+xml"
STATIC = {"docs.css": CSS, "docs.js": SCRIPT, "icon.svg": SVG}

_CODE = re.compile(r"`([^`]+)`")


def openapi_document() -> bytes:
    """The document of this release, which lies beside the generated code: in `openapi/`, or in `revops/openapi/` of a wheel."""
    package = Path(generated.__file__).parents[2]
    for folder in (package.parent, package):
        if (path := folder / "openapi" / "revops.json").exists():
            return path.read_bytes()
    raise FileNotFoundError(f"there is no openapi/revops.json beside {package}: run `make proto`")


def pages(document: bytes) -> list[tuple[str, Application]]:
    """Paths and what answers GET and HEAD there: `/openapi.json`, `/docs` and what is below it."""
    read = cache(lambda: guide(orjson.loads(document)))
    found: list[tuple[str, Application]] = [
        ("/openapi.json", Kept(lambda: document, "application/json")),
        ("/docs", Index(read)),
        ("/docs/reasons", Kept(lambda: _rendered("reasons.html", read()), HTML)),
    ]
    for name in (tag["name"] for tag in orjson.loads(document)["tags"]):
        found.append((f"/docs/{name}", Kept(_service_page(read, name), HTML)))
    static = resources.files(__package__) / "static"
    found += [(f"/docs/static/{name}", Kept((static / name).read_bytes, kind)) for name, kind in STATIC.items()]
    return found


def _service_page(read: Callable[[], Guide], name: str) -> Callable[[], bytes]:
    return lambda: _rendered("service.html", read(), service=next(s for s in read().services if s.name == name))


class Kept:
    """An ASGI application that always answers the same bytes, made when they are first asked for."""

    def __init__(self, make: Callable[[], bytes], media_type: str) -> None:
        self._make, self._media_type = make, media_type
        self._made: tuple[bytes, bytes, str] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 200, or 304 if the client has it already. Raises `Refused` with 405."""
        if scope["method"] not in ("GET", "HEAD"):
            raise no_verb(scope["method"], ("GET", "HEAD"))
        if self._made is None:
            body = self._make()
            self._made = body, compressed(body), hashlib.sha256(body).hexdigest()[:32]
        plain, small, tag = self._made
        asked = dict(scope["headers"])
        headers = {"cache-control": "no-cache", "vary": "accept-encoding", "etag": f'"{tag}"'}
        if shortened := len(plain) >= LEAST_COMPRESSED and takes_gzip(asked):
            headers |= {"etag": f'"{tag}-gzip"', "content-encoding": "gzip"}
        if headers["etag"].encode() in asked.get(b"if-none-match", b""):
            return await _send(send, 304, headers, b"")
        body = small if shortened else plain
        headers |= {"content-type": self._media_type, "content-length": str(len(body)), **SECURITY}
        await _send(send, 200, headers, b"" if scope["method"] == "HEAD" else body)


class Index:
    """The list of methods; `?q=` shows those in which every word is found."""

    def __init__(self, read: Callable[[], Guide]) -> None:
        self._read = read
        self._whole = Kept(lambda: _index(read(), ""), HTML)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers like `Kept`; a search is rendered anew."""
        asked = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        query = asked.get("q", "").strip()[:LONGEST_QUERY]
        page = Kept(lambda: _index(self._read(), query), HTML) if query else self._whole
        await page(scope, receive, send)


async def _send(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    written = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": written})
    await send({"type": "http.response.body", "body": body})


def _index(read: Guide, query: str) -> bytes:
    return _rendered("index.html", read, query=query, found=read.matching(query))


def _rendered(template: str, read: Guide, **values: object) -> bytes:
    return _templates().get_template(template).render(guide=read, query=values.pop("query", ""), **values).encode()


@cache
def _templates() -> Environment:
    loader = PackageLoader(__package__, "templates")
    made = Environment(
        loader=loader, autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["prose"] = prose
    made.filters["segments"] = segments
    return made


def prose(comment: str) -> Markup:
    """A comment of the contract with its `names` as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(comment))))


def segments(path: str) -> Sequence[tuple[str, bool]]:
    """The parts of a path, and whether each is a parameter: `/v1/quotes/{quote}`."""
    return [(part, part.startswith("{")) for part in re.split(r"(\{\w+\})", path) if part]

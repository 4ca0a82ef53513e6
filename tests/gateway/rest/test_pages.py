"""The API page: every method is on it, every link leads somewhere, nothing comes from elsewhere, every example is sound."""

import gzip
import json
import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from typing import Any

import httpx
import orjson
import pytest
from jsonschema import Draft202012Validator

from revops_mesh.gateway.rest.bindings import bindings
from revops_mesh.gateway.rest.pages import openapi_document, pages
from revops_mesh.gateway.rest.pages.guide import Guide, guide
from revops_mesh.gateway.rest.pages.references import resolved
from tests.contract.methods import METHODS
from tests.contract.test_openapi import descriptor_of
from tests.gateway.rest.serving import served_pages

DOCUMENT: dict[str, Any] = orjson.loads(openapi_document())
PATHS = [path for path, _ in pages(openapi_document())]
HTML = [path for path in PATHS if path.startswith("/docs") and "/static/" not in path]
OPERATIONS = [(path, verb, operation) for path, item in DOCUMENT["paths"].items() for verb, operation in item.items()]


class Read(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.inline = False
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.add(tag)
        self.ids += [found["id"]] if found.get("id") else []
        self.links += [value for key in ("href", "src", "action") if (value := found.get(key))]
        self.inline |= "style" in found or any(key.startswith("on") for key in found) or (tag == "script" and "src" not in found)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with served_pages() as url, httpx.AsyncClient(base_url=url) as opened:
        yield opened


@pytest.fixture(scope="module")
async def site(client: httpx.AsyncClient) -> dict[str, Read]:
    """Every page by path."""
    return {path: Read((await client.get(path)).text) for path in HTML}


@pytest.fixture(scope="module")
def shown() -> Guide:
    return guide(DOCUMENT)


async def test_the_document_is_served_as_generated_and_compressed(client: httpx.AsyncClient) -> None:
    plain = await client.get("/openapi.json", headers={"accept-encoding": "identity"})
    assert (plain.status_code, plain.headers["content-type"]) == (200, "application/json")
    assert plain.content == openapi_document()
    async with client.stream("GET", "/openapi.json", headers={"accept-encoding": "gzip"}) as compressed:
        raw = b"".join([part async for part in compressed.aiter_raw()])
    assert gzip.decompress(raw) == openapi_document()
    assert len(raw) * 5 < len(plain.content)
    assert compressed.headers["etag"] != plain.headers["etag"]


@pytest.mark.parametrize("path", PATHS)
async def test_what_a_client_has_is_not_sent_again(path: str, client: httpx.AsyncClient) -> None:
    first = await client.get(path)
    again = await client.get(path, headers={"if-none-match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert (await client.get(path, headers={"if-none-match": '"other"'})).status_code == 200
    head = await client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    refused = await client.post(path)
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
    assert refused.json()["error"]["details"][0]["reason"] == "HTTP_VERB_UNKNOWN"


@pytest.mark.parametrize("path", HTML)
def test_every_link_leads_somewhere(path: str, site: dict[str, Read]) -> None:
    page = site[path]
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        target, _, anchor = link.partition("#")
        assert not target or target in PATHS, link
        assert not anchor or anchor in site[target or path].ids, link


@pytest.mark.parametrize("path", HTML)
async def test_nothing_comes_from_elsewhere_or_stands_inline(path: str, client: httpx.AsyncClient, site: dict[str, Read]) -> None:
    policy = (await client.head(path)).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "//" not in policy
    assert not site[path].inline


def test_every_method_is_on_the_index_and_explained_on_the_page_of_its_service(site: dict[str, Read]) -> None:
    for method in METHODS:
        service, name = method.full_name.split(".")[-2:]
        link = f"/docs/{service}#{name}"
        assert (link in site["/docs"].links) != method.internal, link
        if method.internal:
            continue
        page = site[f"/docs/{service}"]
        assert name in page.ids
        assert method.policy.permission in page.text
        for binding in bindings(descriptor_of(method)):
            assert f"{binding.verb} /{binding.segments[0]}/{binding.segments[1]}" in page.text


async def test_a_search_needs_no_script_and_finds_names_paths_and_reasons(client: httpx.AsyncClient) -> None:
    async def found(query: str) -> list[str]:
        links = Read((await client.get("/docs", params={"q": query})).text).links
        return [link.partition("#")[2] for link in links if "#" in link and link.startswith("/docs/")]

    assert await found("submitquote") == ["SubmitQuote"]
    assert await found("quotes :submit") == ["SubmitQuote"]
    assert "SubmitQuote" in await found("quote_prices_stale")
    assert await found("no such thing") == []
    assert len(await found("")) == len(OPERATIONS)


async def test_a_search_is_shown_and_never_run(client: httpx.AsyncClient) -> None:
    text = (await client.get("/docs", params={"q": "<script>alert(1)</script>\"'"})).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_every_reason_says_what_to_do(site: dict[str, Read]) -> None:
    text = site["/docs/reasons"].text
    for name, reason in DOCUMENT["x-revops-reasons"].items():
        assert name in text
        assert reason["description"].replace("`", "") in text


@pytest.mark.parametrize(
    ("path", "verb", "operation"), OPERATIONS, ids=[operation["operationId"] for *_, operation in OPERATIONS]
)
def test_an_example_sends_what_the_schema_asks_for(path: str, verb: str, operation: dict[str, Any], shown: Guide) -> None:
    service, _, name = operation["operationId"].partition("_")
    (method,) = [m for s in shown.services if s.name == service for m in s.methods if (m.name, m.path) == (name, path)]
    example = method.example
    assert example.startswith(f"curl -X {verb.upper()} ")
    assert "{" not in example.partition("\n")[0]
    assert "…" not in example, "no candidate keeps some pattern: add one to examples.CANDIDATES"
    if "requestBody" not in operation:
        assert " -d " not in example
        return
    if "application/json" not in operation["requestBody"]["content"]:
        assert example.endswith("--data-binary @example.csv")
        return
    body = json.loads(example.partition("-d '")[2].removesuffix("'"))
    schema = resolved(operation["requestBody"]["content"]["application/json"]["schema"], DOCUMENT)
    checker = Draft202012Validator.FORMAT_CHECKER
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}, format_checker=checker).validate(body)
    assert set(body) >= set(schema.get("required", ()))


def test_required_parameters_are_in_the_example(shown: Guide) -> None:
    for service in shown.services:
        for method in service.methods:
            for parameter in method.parameters:
                if parameter.required and parameter.place == "query":
                    assert re.search(rf"[?&]{re.escape(parameter.name)}=", method.example)

"""The OpenAPI document as the API page shows it: services, their methods and the types they need.

Everything shown is read from the document; nothing is known here of any contract.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from revops_mesh.gateway.rest.pages.examples import curl
from revops_mesh.gateway.rest.pages.references import Json, resolved, schemas_in
from revops_mesh.gateway.rest.pages.words import Kind, kind_of, name_of, notes

FACTS = {
    "x-revops-permission": "Permission",
    "x-revops-edition": "From edition",
    "x-revops-scope": "Works on",
    "x-revops-audit": "Audited",
    "x-revops-emits": "Records",
    "x-revops-asks": "Asks",
    "x-revops-reserves": "Reserves with",
    "x-revops-rpc": "Over gRPC",
}
SHOWN = {"PLATFORM": "the installation: only callers of the platform tenant", "WRITE": "yes", "NONE": "refusals only"}


@dataclass(frozen=True)
class Field:
    """A parameter, or a field of a message."""

    name: str
    kind: Kind
    place: str
    """`path`, `query` or `header`; empty for a field of a body."""
    required: bool
    notes: tuple[str, ...]
    """Bounds and what is special, in words."""
    description: str


@dataclass(frozen=True)
class Type:
    """A message with its fields, or an enum with its values."""

    full_name: str
    description: str
    fields: tuple[Field, ...]
    values: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """Without package: `Quote.State`."""
        return name_of(self.full_name)


@dataclass(frozen=True)
class Refusal:
    """A reason, its status and what to do."""

    reason: str
    status: int
    code: str
    metadata: tuple[str, ...]
    description: str
    domain: str


@dataclass(frozen=True)
class Method:
    """One way to call one method."""

    name: str
    verb: str
    path: str
    summary: str
    description: str
    facts: tuple[tuple[str, tuple[str, ...]], ...]
    permission: str
    edition: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    body_kind: Kind | None
    answer: Kind
    streams: bool
    refusals: tuple[Refusal, ...]
    example: str

    @property
    def searched(self) -> str:
        """The text in which a search looks, in lower case."""
        reasons = " ".join(refusal.reason for refusal in self.refusals)
        return f"{self.name} {self.verb} {self.path} {self.summary} {self.permission} {reasons}".lower()


@dataclass(frozen=True)
class Service:
    """A module: its methods, and the types that they need."""

    name: str
    full_name: str
    group: str
    description: str
    methods: tuple[Method, ...]
    types: tuple[Type, ...]

    @property
    def title(self) -> str:
        """What it is about: `Quote`."""
        return self.name.removesuffix("Service")


@dataclass(frozen=True)
class Guide:
    """All of a document."""

    title: str
    version: str
    services: tuple[Service, ...]
    refusals: tuple[Refusal, ...]

    def matching(self, query: str) -> dict[str, tuple[Method, ...]]:
        """By service the methods in which every word of the query is found; services without any are left out."""
        words = query.lower().split()
        found = {s.name: tuple(m for m in s.methods if all(w in m.searched for w in words)) for s in self.services}
        return {name: methods for name, methods in found.items() if methods}


def guide(document: Json) -> Guide:
    """The guide to a document that the contract toolchain made."""
    return _Reader(document).guide()


class _Reader:
    """Reads one document."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self._schemas: Json = document["components"]["schemas"]
        self._reasons = {name: _refusal(name, said) for name, said in document["x-revops-reasons"].items()}

    def guide(self) -> Guide:
        groups = {tag: group["name"] for group in self._document["x-tagGroups"] for tag in group["tags"]}
        services = tuple(self._service(tag, groups[tag["name"]]) for tag in self._document["tags"])
        info = self._document["info"]
        return Guide(info["title"], info["version"], services, tuple(self._reasons.values()))

    def _service(self, tag: Json, group: str) -> Service:
        found = [
            (path, verb, operation)
            for path, item in self._document["paths"].items()
            for verb, operation in item.items()
            if tag["name"] in operation["tags"]
        ]
        methods = tuple(self._method(*each) for each in found)
        types = tuple(self._type(name) for name in self._needed([operation for _, _, operation in found]))
        return Service(tag["name"], tag["x-revops-service"], group, tag["description"], methods, types)

    def _method(self, path: str, verb: str, operation: Json) -> Method:
        body = _content(operation["requestBody"])[0] if "requestBody" in operation else None
        answers = operation["responses"]["200"]["content"]
        return Method(
            name=operation["operationId"].partition("_")[2],
            verb=verb.upper(),
            path=path,
            summary=operation["summary"],
            description=operation["description"],
            facts=tuple(_facts(operation)),
            permission=operation.get("x-revops-permission", "anyone"),
            edition=operation["x-revops-edition"],
            parameters=tuple(map(self._parameter, operation["parameters"])),
            body=tuple(self._settable(body)) if body is not None else (),
            body_kind=kind_of(body) if body is not None else None,
            answer=kind_of(_content(operation["responses"]["200"])[0]),
            streams="application/x-ndjson" in answers,
            refusals=tuple(self._refusals(operation)),
            example=curl(path, verb, operation, self._document),
        )

    def _parameter(self, parameter: Json) -> Field:
        stated = resolved(parameter, self._document)
        schema = stated["schema"]
        return Field(
            stated["name"],
            kind_of(schema),
            stated["in"],
            stated.get("required", False),
            tuple(notes(schema)),
            stated["description"],
        )

    def _fields(self, schema: Json) -> Iterator[Field]:
        needed = schema.get("required", ())
        for name, property_ in schema.get("properties", {}).items():
            description = property_.get("description", "")
            yield Field(name, kind_of(property_), "", name in needed, tuple(notes(property_)), description)

    def _settable(self, schema: Json) -> Iterator[Field]:
        """The fields of a body that a caller can set; what identifies a resource is in the path, or assigned."""
        whole = resolved(schema, self._document)
        for each in self._fields(whole):
            stated = whole["properties"][each.name]
            if not stated.get("readOnly") and not stated.get("x-identifier"):
                yield each

    def _type(self, full_name: str) -> Type:
        schema = self._schemas[full_name]
        said = schema.get("x-enumDescriptions", {})
        values = tuple((value, said.get(value, "")) for value in schema.get("enum", ()))
        needed = {"required": schema.get("required", schema.get("x-required-on-create", ()))}
        return Type(full_name, schema.get("description", ""), tuple(self._fields({**schema, **needed})), values)

    def _needed(self, operations: list[Json]) -> list[str]:
        """Names of the types that operations refer to, through others too, in the order of names."""
        seen: set[str] = set()
        waiting = list(schemas_in([(o.get("requestBody"), o["responses"]["200"], o["parameters"]) for o in operations]))
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += schemas_in(self._schemas[name])
        return sorted(seen, key=name_of)

    def _refusals(self, operation: Json) -> Iterator[Refusal]:
        for status, response in operation["responses"].items():
            if status != "default":
                yield from (self._reasons[name] for name in response.get("x-revops-reasons", ()))


def _content(stated: Json) -> tuple[Json, ...]:
    return tuple(content["schema"] for content in stated["content"].values())


def _refusal(name: str, said: Json) -> Refusal:
    return Refusal(name, said["httpStatus"], said["code"], tuple(said["metadata"]), said["description"], said["domain"])


def _facts(operation: Json) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What the contract says of a method beside its types, by label."""
    for key, label in FACTS.items():
        if value := operation.get(key):
            found = value if isinstance(value, list) else [value]
            yield label, tuple(SHOWN.get(str(each), str(each)) for each in found)

"""Methods as OpenAPI operations: paths and parameters from `google.api.http`, policies as `x-revops-…`, reasons as responses.

Paths spell out resource names: `/v1/{name=quotes/*}:submit` becomes `/v1/quotes/{quote}:submit`; the original stands in
`x-revops-route`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from revops_mesh.contracts.model import Method, constant
from revops_mesh.contracts.openapi import refusals
from revops_mesh.contracts.openapi.schemas import RESOURCE_ID, Schemas
from revops_mesh.contracts.reasons import Reason, named_in
from revops_mesh.gateway.rest.bindings import Binding, Parameter, Variable, bindings

Json = dict[str, Any]

LONG_RUNNING = "google.longrunning.operation_info"

PARAMETERS: Json = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Stands for `requestId`: a UUID, or a text that stands for one. The same key gives the same answer again.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "description": 'Stands for `etag`, in quotes, as in `"3"`: the call is refused unless it still holds; `*`: any.',
        "schema": {"type": "string", "pattern": r'^(\*|"[^"]+")$'},
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The `ETag` of an earlier answer: if it still holds, 304 is answered without a body.",
        "schema": {"type": "string"},
    },
}
HEADERS: Json = {
    "ETag": {"description": "The `etag` of the resource, in quotes.", "schema": {"type": "string"}},
    "RateLimit": {
        "description": 'The limit that is nearest, what is left of it, and seconds until it is whole, as in `"caller";r=24;t=1`.',
        "schema": {"type": "string"},
    },
    "RetryAfter": {
        "description": "Seconds to wait before repeating, if that helps.",
        "schema": {"type": "integer", "minimum": 1},
    },
}
UNCHANGED: Json = {
    "description": "The client has the present revision.",
    "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
}
STREAMED = {
    "application/x-ndjson": "one JSON object a line; a refusal is the last line",
    "text/event-stream": "server-sent events with one JSON object each; an event `error` is a refusal, an event `end` the end",
}

BODY = "google.api.HttpBody"
RAW: Json = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
"""Content that is sent and answered as it is."""

_SNAKE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Operations:
    """Makes operations; the schemas that they need are collected in `schemas`."""

    def __init__(self, schemas: Schemas, known: Mapping[str, Reason]) -> None:
        self._schemas, self._known = schemas, known

    def of(self, method: Method, rpc: MethodDescriptor) -> Iterator[tuple[str, str, Json]]:
        """Path, verb in lower case and operation of every binding of a method."""
        for number, binding in enumerate(bindings(rpc), 1):
            path, in_path = self._path(binding)
            service = method.service.rpartition(".")[2]
            found: Json = {
                "operationId": f"{service}_{method.name}" + (f"_{number}" if number > 1 else ""),
                "tags": [service],
                "summary": _first_sentence(method.comment),
                "description": method.comment,
                "x-revops-route": f"{binding.verb} {binding.template}",
                **_policy(method),
                "parameters": [*in_path, *map(self._query, binding.parameters), *_headers(binding)],
            }
            if (body := self._body(binding)) is not None:
                found["requestBody"] = body
            found["responses"] = {"200": self._answer(method, binding)}
            found["responses"] |= {"304": UNCHANGED} if _is_cached(binding) else {}
            found["responses"] |= refusals.responses(named_in(method.comment, dict(self._known)))
            if method.access == "anonymous":
                found["security"] = []
            yield path, binding.verb.lower(), found

    def _path(self, binding: Binding) -> tuple[str, list[Json]]:
        """The path with a parameter an id, and those parameters."""
        parts, parameters = list(binding.segments), list[Json]()
        for variable in binding.variables:
            own = parts[variable.start : variable.end]
            names = self._schemas.pattern_of(own) or _named(own, variable)
            for i, segment in enumerate(own):
                if segment in ("*", "**"):
                    parts[variable.start + i] = names[i]
                    parameters.append(self._in_path(names, i, variable, binding.method.input_type))
        return "/" + "/".join(parts) + (f":{binding.action}" if binding.action else ""), parameters

    def _in_path(self, names: Sequence[str], place: int, variable: Variable, request: Descriptor) -> Json:
        """The parameter of an id: the last one of a name, or one that says whose it is."""
        whole, schema = "/".join(names), {"type": "string"}
        if len(names) == 2:
            schema["pattern"] = self._schemas.id_pattern(_field(request, variable.fields), names[0])
        elif len(names) > 2:
            schema["pattern"] = f"^{RESOURCE_ID}$"
        last = place == len(names) - 1
        described = f"Last part of `{variable.path}`, which is `{whole}`." if last else f"Part of `{whole}`."
        return {"name": names[place].strip("{}"), "in": "path", "required": True, "description": described, "schema": schema}

    def _query(self, parameter: Parameter) -> Json:
        *above, schema = map(self._schemas.field, parameter.fields)
        described = [each.get("description", "") for each in (*above, schema)]
        schema.pop("description", None)
        found: Json = {"name": parameter.name, "in": "query", "description": " ".join(filter(None, described))}
        if all(map(self._schemas.required, parameter.fields)):
            found["required"] = True
        return found | {"schema": schema}

    def _body(self, binding: Binding) -> Json | None:
        request = binding.method.input_type
        if not binding.body:
            return None
        if binding.body == "*":
            schema = self._whole(request, {variable.path for variable in binding.variables})
            needed = bool(self._schemas.components[request.full_name].get("required"))
        else:
            field = request.fields_by_name[binding.body]
            updates = "update_mask" in request.fields_by_name
            message = None if field.is_repeated else field.message_type
            if message is not None and message.full_name == BODY:
                return {"required": self._schemas.required(field), "content": RAW}
            schema = self._schemas.field(field) if message is None else self._resource(message, updates)
            needed = self._schemas.required(field)
        return {"required": needed, "content": {"application/json": {"schema": schema}}}

    def _resource(self, message: Descriptor, updates: bool) -> Json:
        return self._schemas.of(message) if updates else self._schemas.created(message)

    def _whole(self, request: Descriptor, in_path: set[str]) -> Json:
        """The request without what the path says: a component unless another binding has another path."""
        made = self._schemas.body(request, in_path)
        if self._schemas.components.setdefault(request.full_name, made) != made:
            return made
        return {"$ref": f"#/components/schemas/{request.full_name}"}

    def _answer(self, method: Method, binding: Binding) -> Json:
        response = binding.method.output_type
        if response.full_name == BODY:
            return {"description": "The content as it is.", "content": RAW}
        schema = self._schemas.of(response)
        if (stated := method.options.get(LONG_RUNNING)) is not None:
            schema = self._operation(binding.method, schema, stated)
        if method.streams_out:
            text = "A stream, by `Accept`:\n\n" + "\n".join(f"- `{kind}`: {form}" for kind, form in STREAMED.items())
            return {"description": text, "content": {kind: {"schema": schema} for kind in STREAMED}}
        answer: Json = {"description": "Done.", "content": {"application/json": {"schema": schema}}}
        if "etag" in response.fields_by_name:
            answer["headers"] = {"ETag": {"$ref": "#/components/headers/ETag"}}
        return answer

    def _operation(self, rpc: MethodDescriptor, schema: Json, stated: Any) -> Json:
        """A long-running operation whose answer and progress are typed."""
        package, pool = rpc.containing_service.file.package, rpc.containing_service.file.pool
        typed = {}
        for place, name in (("response", stated.response_type), ("metadata", stated.metadata_type)):
            if name:
                typed[place] = self._schemas.of(pool.FindMessageTypeByName(name if "." in name else f"{package}.{name}"))
        return schema | {"properties": typed}


def _first_sentence(comment: str) -> str:
    return re.split(r"(?<=[.:;])\s", comment, maxsplit=1)[0].rstrip(".:;")


def _named(segments: Sequence[str], variable: Variable) -> list[str]:
    """Names for the ids of a path that no resource pattern has: `deadLetters/*` becomes `deadLetters/{dead_letter}`."""
    if len(segments) == 1:
        return [f"{{{variable.fields[-1]}}}"]
    collections = ["", *segments]
    return [
        f"{{{_SNAKE.sub('_', before).lower().removesuffix('s')}}}" if segment.startswith("*") else segment
        for before, segment in zip(collections, segments, strict=False)
    ]


def _field(of: Descriptor, names: Sequence[str]) -> FieldDescriptor:
    """The field at the end of a path of names; all before it are messages."""
    field = of.fields_by_name[names[0]]
    return _field(cast(Descriptor, field.message_type), names[1:]) if names[1:] else field


def _headers(binding: Binding) -> list[Json]:
    """Headers that stand for fields of the request, as the bridge reads them."""
    fields = binding.method.input_type.fields_by_name
    held = fields.get(binding.body)
    updated = held.message_type if held is not None and "update_mask" in fields else None
    found = ["IdempotencyKey"] if "request_id" in fields else []
    found += ["IfMatch"] if "etag" in fields or (updated is not None and "etag" in updated.fields_by_name) else []
    found += ["IfNoneMatch"] if _is_cached(binding) else []
    return [{"$ref": f"#/components/parameters/{name}"} for name in found]


def _is_cached(binding: Binding) -> bool:
    """Whether a client may have the answer already."""
    method = binding.method
    return binding.verb == "GET" and not method.server_streaming and "etag" in method.output_type.fields_by_name


def _policy(method: Method) -> Json:
    """What the contract says of who may call and what follows; nothing is said that is the default but the edition."""
    policy = method.policy
    edition = constant(policy, "edition").removeprefix("EDITION_")
    said: Json = {
        "x-revops-rpc": f"{method.service}/{method.name}",
        "x-revops-reads": method.no_side_effects,
        "x-revops-permission": policy.permission,
        "x-revops-edition": "FREE" if edition == "UNSPECIFIED" else edition,
        "x-revops-audit": constant(policy, "audit").removeprefix("AUDIT_"),
        "x-revops-scope": "PLATFORM" if constant(policy, "scope") == "SCOPE_PLATFORM" else "",
        "x-revops-partner-visible": policy.partner_visible,
        "x-revops-emits": list(policy.emits),
        "x-revops-asks": list(policy.asks),
        "x-revops-reserves": list(policy.reserves),
    }
    return {key: value for key, value in said.items() if value}

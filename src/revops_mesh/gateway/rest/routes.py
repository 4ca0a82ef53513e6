"""Finds the method of a verb and a path: a tree of segments, so that the hundredth route costs what the first does.

Literal segments win over variables. A path ends with an action after a colon; a colon inside an id has to be encoded (%3A).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from revops_mesh.gateway.protojson import writer

from . import raw
from .bindings import Binding
from .refusals import no_path, no_verb
from .requests import RequestReader, decoded


class Route:
    """A binding, ready to be served."""

    def __init__(self, binding: Binding) -> None:
        method = binding.method
        self.binding = binding
        self.path = f"/{method.containing_service.full_name}/{method.name}"
        """Of gRPC."""
        self.full_name = method.full_name
        self.streams = bool(method.server_streaming)
        self.intake = bool(method.client_streaming)
        self.raw_body, self.raw_answers = raw.taken(binding), raw.answers(binding)
        self.request = RequestReader(binding)
        self.has_etag = "etag" in method.output_type.fields_by_name
        self.write = writer(method.output_type)


@dataclass(slots=True)
class _Node:
    """A position in paths."""

    literals: dict[str, "_Node"] = field(default_factory=dict)
    any: "_Node | None" = None
    rest: "_Node | None" = None
    actions: dict[str, dict[str, Route]] = field(default_factory=dict)
    """Routes that end here, by action and verb."""


class Routes:
    """All routes of a bridge."""

    def __init__(self, bindings: Iterable[Binding]) -> None:
        """Raises `ValueError` when two bindings are reached by the same verb and path."""
        self._root, self._count = _Node(), 0
        for binding in bindings:
            self._add(Route(binding))

    def __len__(self) -> int:
        return self._count

    def _add(self, route: Route) -> None:
        node = self._root
        for segment in route.binding.segments:
            if segment == "**":
                node.rest = node = node.rest or _Node()
            elif segment == "*":
                node.any = node = node.any or _Node()
            else:
                node = node.literals.setdefault(segment, _Node())
        verbs = node.actions.setdefault(route.binding.action, {})
        if route.binding.verb in verbs:
            taken = verbs[route.binding.verb].full_name
            raise ValueError(f"{route.full_name} and {taken} are both {route.binding.verb} {route.binding.template}")
        verbs[route.binding.verb] = route
        self._count += 1

    def find(self, verb: str, raw_path: str) -> tuple[Route, Sequence[str]]:
        """The route and the segments of a path, both percent-encoded. Raises `Refused` with 404 or 405."""
        segments, verbs = self._at(raw_path)
        route = verbs.get("GET" if verb == "HEAD" else verb)
        if route is None or (verb == "HEAD" and route.streams):
            raise no_verb(verb, _allowed(verbs))
        return route, segments

    def verbs(self, raw_path: str) -> list[str]:
        """The verbs that are served at a path. Raises `Refused` with 404."""
        return _allowed(self._at(raw_path)[1])

    def _at(self, raw_path: str) -> tuple[Sequence[str], dict[str, Route]]:
        segments = raw_path.split("/")[1:] or [""]
        segments[-1], colon, action = segments[-1].partition(":")
        found = _descend(self._root, segments, 0, action) if action or not colon else None
        if found is None:
            raise no_path(raw_path)
        return segments, found


def _descend(node: _Node, segments: Sequence[str], at: int, action: str) -> dict[str, Route] | None:
    if at == len(segments):
        return node.actions.get(action)
    segment = segments[at]
    if not segment:
        return None
    literal = node.literals.get(decoded(segment, "path") if "%" in segment else segment)
    if literal is not None and (found := _descend(literal, segments, at + 1, action)):
        return found
    if node.any is not None and (found := _descend(node.any, segments, at + 1, action)):
        return found
    return node.rest.actions.get(action) if node.rest is not None else None


def _allowed(verbs: Mapping[str, Route]) -> list[str]:
    """What `Allow` lists: an answer that is read can be asked for its head alone, a stream cannot."""
    read = verbs.get("GET")
    return sorted({*verbs, "OPTIONS", *(("HEAD",) if read is not None and not read.streams else ())})

"""What modules bring: services of the contract, their implementations, and what these offer beside the methods themselves."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from google.protobuf.message import Message

from .aggregate import Aggregate
from .contract import Method, described, is_stored, method_taking, methods_of
from .errors import Broken
from .kinds import Kind, kind_of

if TYPE_CHECKING:
    from .pipeline import Kernel

Errand = Callable[["Kernel", UUID, Message, int], Awaitable[Message]]
"""Takes kernel, tenant, a timer's request and the number of the attempt from 1; gives the request with what it found outside."""

Interest = Callable[["Kernel", UUID, Message], Awaitable[bool]]
"""Takes kernel, tenant and an event; whether a reaction has anything to do with it."""


@dataclass(frozen=True)
class Module:
    """A service of a capability: its full name, its implementation, the aggregates and the ledgers it stores."""

    service: str
    implementation: object
    aggregates: tuple[type[Aggregate[Any]], ...] = ()
    ledgers: tuple[type[Message], ...] = ()

    @property
    def kinds(self) -> frozenset[Kind]:
        """What it stores."""
        return frozenset(map(kind_of, (*(aggregate.state_type for aggregate in self.aggregates), *self.ledgers)))


class Served:
    """The methods of some modules and their implementations. Raises `Broken` when a contract or a module is incomplete."""

    def __init__(self, modules: Sequence[Module], peered: bool = False) -> None:
        """`peered`: peers serve what these modules do not."""
        self.modules, self._peered = tuple(modules), peered
        self.methods: dict[str, Method] = {}
        self.reactions: dict[str, list[Method]] = {}
        self._handlers: dict[str, Callable[..., Any]] = {}
        self._preparations: dict[str, Callable[..., Any]] = {}
        self._endings: dict[str, Callable[..., Any]] = {}
        self.runs: dict[str, Callable[..., Any]] = {}
        """By the path of a method that starts an operation: one batch of its work."""
        self.errands: dict[str, Errand] = {}
        """By the full name of an internal rpc: what is done outside any transaction before its timer's request is answered."""
        self.interests: dict[str, Interest] = {}
        """By the full name of a reaction: what is asked before it, so that events without effect cost no transaction."""
        self._requests: dict[str, Method] = {}
        for module in modules:
            self._serve(module)
        self._must_store_what_it_answers()

    def _serve(self, module: Module) -> None:
        for aggregate in module.aggregates:
            kind_of(aggregate.state_type)
            if aggregate.check is Aggregate.check:
                raise Broken(f"{aggregate.__name__} has no check(): every aggregate states its invariants")
        for method in methods_of(module.service):
            handler = getattr(module.implementation, method.name, None)
            if handler is None:
                raise Broken(f"{type(module.implementation).__name__} has no {method.name}")
            self.methods[method.path], self._handlers[method.path] = method, handler
            self._beside(module, method, "Prepare", self._preparations, bool(method.policy.reserves))
            self._beside(module, method, "Finish", self._endings, method.intake)
            self._beside(module, method, "Run", self.runs, method.long_running)
            if errand := getattr(module.implementation, f"Errand{method.name}", None):
                self.errands[method.full_name] = errand
            if interest := getattr(module.implementation, f"Wants{method.name}", None):
                self.interests[method.full_name] = interest
            if method.internal and method.request.__name__ != f"{method.name}Request":
                self.reactions.setdefault(method.request.DESCRIPTOR.full_name, []).append(method)
            else:
                self._requests[method.request.DESCRIPTOR.full_name] = method

    def _must_store_what_it_answers(self) -> None:
        """An aggregate that its module does not name would have no table, and so no caller would see why."""
        stored = frozenset[Kind]().union(*(module.kinds for module in self.modules))
        for method in self.methods.values():
            answer = described(method.response)
            own = method.name in (f"Create{answer.name}", f"Get{answer.name}")
            if own and is_stored(answer) and kind_of(method.response) not in stored:
                raise Broken(f"{method.full_name} answers {answer.full_name}, and no Module names its aggregate")

    def _beside(self, module: Module, method: Method, verb: str, found: dict[str, Callable[..., Any]], wanted: bool) -> None:
        """Takes in what a method's contract demands of its implementation beside the method itself."""
        part = getattr(module.implementation, f"{verb}{method.name}", None)
        if wanted != (part is not None):
            raise Broken(f"{method.full_name}: its contract and its implementation do not agree on {verb}{method.name}")
        if part is not None:
            found[method.path] = part

    def by_request(self, request: Message) -> Method:
        """The method that takes a request of this type, served here or by a peer."""
        method = self._requests.get(request.DESCRIPTOR.full_name) or (method_taking(type(request)) if self._peered else None)
        if method is None:
            raise Broken(f"no method here takes {request.DESCRIPTOR.full_name}")
        return method

"""Rules that tenants write: checked when they are saved, evaluated the same way every time.

Source of the language: Common Expression Language, cel.dev; the engine is `common-expression-language` (Rust).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from revops_mesh.rules.checker import Checker
from revops_mesh.rules.syntax import Mistake, parse
from revops_mesh.rules.types import BOOL, FUNCTIONS, RuleError, Type, enter, leave

if TYPE_CHECKING:
    import cel

MAX_LENGTH = 2_000  # characters
_CULPRITS = ((ZeroDivisionError, "/%"), (IndexError, "[]"), (OverflowError, "+-*/%"), (RuntimeError, "+-*"))


@dataclass(frozen=True, eq=False, slots=True)
class RuleKind:
    """A place where tenants write rules: the variables that a rule may use, published with their types, and its result.

    One object for each kind, made at import: compiled rules are kept by it.
    """

    name: str
    variables: Mapping[str, Type]
    result: Type = BOOL


@dataclass(frozen=True, eq=False, slots=True)
class Rule:
    """A checked rule. `used` are the variables it needs."""

    kind: RuleKind
    expression: str
    used: frozenset[str]
    _program: "cel.Program"
    _functions: dict[str, Callable[..., Any]]
    _hazards: tuple[tuple[str, int], ...]

    def evaluate(self, values: Mapping[str, object]) -> object:
        """The result for the values of the variables; values that the rule does not use are not looked at.

        Raises RuleError on the path of a missing or mistyped value, or on `expression` where the rule itself fails: an
        int that overflows or is divided by zero, an index beyond a list, a decimal beyond 60 digits.
        """
        import cel  # with the first rule: it brings a console along

        variables = {name: enter(self.kind.variables[name], values.get(name), name) for name in self.used}
        context = cel.Context(variables, self._functions) if self._functions else variables
        try:
            result = self._program.execute(context)
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            culprits = next((signs for kind, signs in _CULPRITS if isinstance(error, kind)), "")
            places = " or ".join(str(at) for sign, at in self._hazards if sign in culprits)
            where = f"fails at character {places}" if places else "fails"
            raise RuleError("expression", f"{where}: {str(error).splitlines()[0]}") from None
        return leave(self.kind.result, result)


def compile(kind: RuleKind, expression: str, field: str = "expression") -> Rule:
    """The rule of an expression, from a cache if it was compiled before.

    Raises RuleError on `field`, naming the character, for bad syntax, unknown names, wrong types and a wrong result.
    """
    if len(expression) > MAX_LENGTH:
        raise RuleError(field, f"has {len(expression)} characters; at most {MAX_LENGTH} are allowed")
    try:
        return _compiled(kind, expression)
    except Mistake as mistake:
        raise RuleError(field, str(mistake)) from None


@lru_cache(maxsize=4096)
def _compiled(kind: RuleKind, expression: str) -> Rule:
    import cel

    checker = Checker(kind.variables)
    text = checker.expect(parse(expression), kind.result)
    try:
        program = cel.compile(text)
    except ValueError:  # what the checker lets through is well formed, but it knows no reserved words
        raise Mistake(1, "a name in it is reserved by CEL") from None
    functions = {name: function for name, function in FUNCTIONS.items() if f"{name}(" in text}
    return Rule(kind, expression, frozenset(checker.used), program, functions, tuple(checker.hazards))

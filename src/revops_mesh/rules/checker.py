"""Checks the types of a rule and translates it to what the engine evaluates exactly.

Differences to CEL, all on the side of refusing: a number with a point is a decimal, not a double, and an int beside one
becomes one; decimals are not divided (multiply the other side instead); a macro within a macro goes only through a list
inside the element at hand, so that work grows with the data and not with its square.
"""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from lark import Token

from revops_mesh.rules import types
from revops_mesh.rules.syntax import Mistake, Node, position, unquoted
from revops_mesh.rules.types import BOOL, DATE, DECIMAL, DURATION, INT, TEXT, TIMESTAMP, ListOf, Record, Scalar, Type

MAX_DEPTH = 24
_MACROS = ("all", "exists", "exists_one", "filter", "map")
_LITERALS = {"date": DATE, "timestamp": TIMESTAMP, "duration": DURATION}


class Typed(NamedTuple):
    """An expression of the engine and its type."""

    type: Type
    text: str


def _overloads() -> dict[tuple[str, ...], Typed]:
    """Result and template of every operator, function and method by its name and the names of its operands' types."""
    found: dict[tuple[str, ...], Typed] = {}

    def add(name: str, *operands: Type, result: Type, text: str = "") -> None:
        found[name, *(operand.value for operand in operands)] = Typed(result, text or f"({{0}} {name} {{1}})")

    for kind in Scalar:
        for sign in ("==", "!=") if kind is BOOL else ("==", "!=", "<", "<=", ">", ">="):
            add(sign, kind, kind, result=BOOL)
        add("in", kind, ListOf(kind), result=BOOL)
    for sign in ("<", "<=", ">", ">="):
        add(sign, DECIMAL, DECIMAL, result=BOOL, text=f"(decimal_compare({{0}}, {{1}}) {sign} 0)")
    for sign, name in (("+", "add"), ("-", "subtract"), ("*", "multiply")):
        add(sign, DECIMAL, DECIMAL, result=DECIMAL, text=f"decimal_{name}({{0}}, {{1}})")
    for sign in "+-*/%":
        add(sign, INT, INT, result=INT)
    for sign in "+-":
        add(sign, TIMESTAMP, DURATION, result=TIMESTAMP)
        add(sign, DURATION, DURATION, result=DURATION)
    add("-", TIMESTAMP, TIMESTAMP, result=DURATION)
    add("+", TEXT, TEXT, result=TEXT)
    add("!", BOOL, result=BOOL, text="(!{0})")
    add("-", INT, result=INT, text="(-{0})")
    add("-", DECIMAL, result=DECIMAL, text='decimal_multiply({0}, "-1")')
    add("size", TEXT, result=INT, text="text_size({0})")
    for name in ("startsWith", "endsWith", "contains", "matches"):
        add(name, TEXT, TEXT, result=BOOL, text=f"{{0}}.{name}({{1}})")
    for part in ("FullYear", "Month", "Date", "DayOfWeek", "Hours", "Minutes"):
        add(f"get{part}", TIMESTAMP, result=INT, text=f"{{0}}.get{part}()")
    return found


_OVERLOADS = _overloads()


class Checker:
    """One pass over one rule. Afterwards `used` names the variables that it needs.

    `hazards` are the operators, with their places, that can fail when the rule is evaluated.
    """

    def __init__(self, variables: Mapping[str, Type]) -> None:
        self.used: set[str] = set()
        self.hazards: list[tuple[str, int]] = []
        self._variables = variables
        self._elements: dict[str, Type] = {}  # by the name a macro gives them, innermost last
        self._depth = 0

    def expect(self, node: Node, wanted: Type) -> str:
        """The expression of a node that must have a type; an int will do where a decimal is wanted."""
        found = self.check(node)
        if wanted == DECIMAL:
            found = _widened(found)
        if found.type != wanted:
            raise Mistake(position(node), f"must be {wanted.value}, not {found.type.value}")
        return found.text

    def check(self, node: Node) -> Typed:
        """The expression of a node and its type. Raises Mistake."""
        if self._depth == MAX_DEPTH:
            raise Mistake(position(node), f"nests deeper than {MAX_DEPTH} levels")
        self._depth += 1
        found = self._check(str(node.data), node.children)
        self._depth -= 1
        return found

    def _check(self, what: str, parts: list[Any]) -> Typed:
        match what:
            case "any" | "all":
                joint = " || " if what == "any" else " && "
                return Typed(BOOL, f"({joint.join([self.expect(part, BOOL) for part in parts])})")
            case "choice":
                test, (one, other) = self.expect(parts[0], BOOL), _level(self.check(parts[1]), self.check(parts[2]))
                if one.type != other.type:
                    raise Mistake(position(parts[2]), f"must be {one.type.value} as the case before, not {other.type.value}")
                return Typed(one.type, f"({test} ? {one.text} : {other.text})")
            case "variable":
                return self._variable(parts[0])
            case "select":
                return self._select(self.check(parts[0]), parts[1])
            case "list":
                return self._list(parts[0].children)
            case "binary":
                return self._apply(parts[1], str(parts[1]), *_level(self.check(parts[0]), self.check(parts[2])))
            case "unary":
                return self._apply(parts[0], str(parts[0]), self.check(parts[1]))
            case "index":
                return self._apply(parts[1], "[]", self.check(parts[0]), self.check(parts[2]))
            case "call":
                return self._call(parts[0], parts[1].children)
            case "method":
                return self._method(parts[0], parts[1], parts[2].children)
        return _literal(what, parts[0])

    def _apply(self, at: Token, name: str, *operands: Typed) -> Typed:
        found = _OVERLOADS.get((name, *(operand.type.value for operand in operands)))
        whole = operands[0].type
        if isinstance(whole, ListOf) and name == "size":
            found = Typed(INT, "size({0})")
        elif isinstance(whole, ListOf) and name == "[]" and operands[1].type == INT:
            found = Typed(whole.element, "{0}[{1}]")
        if found is None:
            hint = "; multiply the other side instead" if name == "/" else ""
            raise Mistake(position(at), f"{name} does not take {' and '.join(o.type.value for o in operands)}{hint}")
        if at.type not in ("NAME", "RELATION"):
            self.hazards.append((name, position(at)))
        return Typed(found.type, found.text.format(*[operand.text for operand in operands]))

    def _variable(self, name: Token) -> Typed:
        if name in self._elements:
            return Typed(self._elements[name], str(name))
        if name not in self._variables:
            raise Mistake(position(name), f"unknown variable {name}; known: {', '.join(sorted(self._variables))}")
        self.used.add(str(name))
        return Typed(self._variables[name], str(name))

    def _select(self, record: Typed, name: Token) -> Typed:
        fields = record.type.fields if isinstance(record.type, Record) else {}
        if name not in fields:
            known = ", ".join(fields) or "none"
            raise Mistake(position(name), f"{record.type.value} has no field {name}; it has {known}")
        return Typed(fields[name], f"{record.text}.{name}")

    def _list(self, elements: list[Node]) -> Typed:
        checked = [self.check(element) for element in elements]
        if any(element.type == DECIMAL for element in checked):
            checked = [_widened(element) for element in checked]
        for element, place in zip(checked, elements, strict=True):
            if element.type != checked[0].type or not isinstance(element.type, Scalar):
                raise Mistake(position(place), "a list holds single values of one type")
        kind = checked[0].type if checked else TEXT
        return Typed(ListOf(kind), f"[{', '.join([element.text for element in checked])}]")

    def _call(self, name: Token, arguments: list[Node]) -> Typed:
        if name in _LITERALS and len(arguments) == 1 and arguments[0].data == "text":
            return _instant(str(name), next(arguments[0].scan_values(lambda _: True)))
        if name != "size" or len(arguments) != 1:
            known = ", ".join(f'{literal}("…")' for literal in _LITERALS)
            raise Mistake(position(name), f"{name} is no function of {len(arguments)} such arguments; known: size(…), {known}")
        return self._apply(name, "size", self.check(arguments[0]))

    def _method(self, owner: Node, name: Token, arguments: list[Node]) -> Typed:
        target = self.check(owner)
        if name in _MACROS:
            return self._macro(owner, target, name, arguments)
        given = [self.check(argument) for argument in arguments]
        if name == "matches" and given:
            if arguments[0].data != "text":
                raise Mistake(position(name), "matches takes a pattern in quotes")
            _tried(f'"".matches({given[0].text})', position(arguments[0]))
        return self._apply(name, str(name), target, *given)

    def _macro(self, owner: Node, over: Typed, name: Token, arguments: list[Node]) -> Typed:
        if not isinstance(over.type, ListOf):
            raise Mistake(position(name), f"{name} goes through a list, not {over.type.value}")
        if len(arguments) != 2 or arguments[0].data != "variable":
            raise Mistake(position(name), f"{name} takes a new name and an expression, as in lines.{name}(line, …)")
        element = str(arguments[0].children[0])
        if element in self._elements or element in self._variables:
            raise Mistake(position(arguments[0]), f"{element} already means something")
        if self._elements and _root(owner) != list(self._elements)[-1]:
            raise Mistake(position(owner), "a macro within a macro goes only through a list inside its element")
        self._elements[element] = over.type.element
        body = self.check(arguments[1])
        del self._elements[element]
        if body.type != BOOL and (name != "map" or not isinstance(body.type, Scalar)):
            wanted = "a single value" if name == "map" else "bool"
            raise Mistake(position(arguments[1]), f"must be {wanted}, not {body.type.value}")
        result = {"map": ListOf(body.type), "filter": over.type}.get(str(name), BOOL)
        return Typed(result, f"{over.text}.{name}({element}, {body.text})")


def _literal(kind: str, token: Token) -> Typed:
    if kind == "bool":
        return Typed(BOOL, str(token))
    if kind == "text":
        return Typed(TEXT, json.dumps(unquoted(token), ensure_ascii=False))
    try:
        number = types.decimal_text(Decimal(token))
    except ValueError as error:
        raise Mistake(position(token), str(error)) from None
    if kind == "decimal":
        return Typed(DECIMAL, f'"{number}"')
    if int(number) >= 2**63:
        raise Mistake(position(token), "an int has at most 64 bits")
    return Typed(INT, number)


def _instant(function: str, token: Token) -> Typed:
    """A date, timestamp or duration written as text, read when the rule is checked."""
    text = unquoted(token)
    if function == "date":
        try:
            return Typed(DATE, f'"{date.fromisoformat(text).isoformat()}"')
        except ValueError:
            raise Mistake(position(token), "must be a date, as in 2026-01-31") from None
    expression = f"{function}({json.dumps(text, ensure_ascii=False)})"
    value = _tried(expression, position(token))
    if function == "duration" and abs(value) > types.MAX_DURATION:
        raise Mistake(position(token), f"is longer than {types.MAX_DURATION.days} days")
    return Typed(_LITERALS[function], expression)


def _tried(expression: str, at: int) -> Any:
    """The value of an expression of literals. Raises Mistake if the engine cannot evaluate it."""
    import cel  # with the first rule: it brings a console along

    try:
        return cel.evaluate(expression)
    except (ValueError, RuntimeError) as error:
        raise Mistake(at, str(error).splitlines()[0]) from None


def _widened(value: Typed) -> Typed:
    """An int as decimal; anything else as it is."""
    return Typed(DECIMAL, f"string({value.text})") if value.type == INT else value


def _level(one: Typed, other: Typed) -> tuple[Typed, Typed]:
    """Both as decimals if one is a decimal and the other an int."""
    return (_widened(one), _widened(other)) if DECIMAL in (one.type, other.type) else (one, other)


def _root(node: Node) -> str:
    """The variable from which a chain of selections starts, if it is one."""
    while node.data in ("select", "method", "index"):
        node = node.children[0]
    return str(node.children[0]) if node.data == "variable" else ""

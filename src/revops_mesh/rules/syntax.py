"""Syntax of rules: the part of the Common Expression Language (cel.dev) that the checker understands.

Left out: null, bytes, unsigned and hexadecimal numbers, exponents, raw and triple-quoted texts, maps, messages.
"""

import re
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

Node = Tree[Any]

_PARSER = Lark(
    r"""
    ?start: choice
    ?choice: any | any "?" any ":" choice -> choice
    ?any: all | all ("||" all)+ -> any
    ?all: relation | relation ("&&" relation)+ -> all
    ?relation: sum | relation RELATION sum -> binary
    ?sum: product | sum (PLUS | MINUS) product -> binary
    ?product: unary | product TIMES unary -> binary
    ?unary: member | (BANG | MINUS) unary -> unary
    ?member: primary
        | member "." NAME -> select
        | member "." NAME "(" arguments ")" -> method
        | member BRACKET choice "]" -> index
    ?primary: NAME -> variable
        | NAME "(" arguments ")" -> call
        | "(" choice ")"
        | "[" arguments "]" -> list
        | INT -> int
        | DECIMAL -> decimal
        | STRING -> text
        | TRUTH -> bool
    arguments: [choice ("," choice)*]

    RELATION: /<=|>=|==|!=|<|>|in\b/
    PLUS: "+"
    MINUS: "-"
    TIMES: /[*\/%]/
    BANG: "!"
    BRACKET: "["
    TRUTH: /(?:true|false)\b/
    NAME: /(?!(?:true|false|null|in)\b)[A-Za-z_][A-Za-z0-9_]*/
    INT: /[0-9]+(?![\w.])/
    DECIMAL: /[0-9]+\.[0-9]+(?![\w.])/
    STRING: /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/
    %ignore /\s+|\/\/[^\n]*/
    """,
    parser="lalr",
    maybe_placeholders=False,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "'": "'"}


class Mistake(ValueError):
    """What is wrong with a rule; `position` counts characters from 1."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(f"at character {position}: {reason}")


def parse(text: str) -> Node:
    """The tree of a rule. Raises Mistake where it cannot be read."""
    try:
        return _PARSER.parse(text)
    except UnexpectedInput as error:
        token = getattr(error, "token", None)
        if token is not None and token.type == "$END":
            raise Mistake(len(text) + 1, "the rule ends before it is complete") from None
        at = error.pos_in_stream or 0
        raise Mistake(at + 1, f"cannot be read from {text[at : at + 12]!r} on") from None


def position(node: Node | Token) -> int:
    """Of the first character of a node that is not a parenthesis or bracket, counted from 1."""
    token = node if isinstance(node, Token) else next(node.scan_values(lambda part: isinstance(part, Token)), None)
    return 1 if token is None or token.start_pos is None else token.start_pos + 1


def unquoted(token: Token) -> str:
    """The text of a string literal. Raises Mistake for an escape other than the usual ones and `\\uXXXX`."""

    def replacement(found: re.Match[str]) -> str:
        if found[1]:
            return chr(int(found[1], 16))
        if found[2] not in _ESCAPES:
            raise Mistake(position(token), f"{found[0]} is no escape")
        return _ESCAPES[found[2]]

    text = re.sub(r"\\(?:u([0-9A-Fa-f]{4})|(.))", replacement, token[1:-1])
    if re.search("[\ud800-\udfff]", text):
        raise Mistake(position(token), "contains half a character")
    return text

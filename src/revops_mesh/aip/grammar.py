"""Grammar of AIP-160 filters: text to a syntax tree, within limits that keep hostile input cheap.

As the AIP demands, OR binds tighter than AND, and a space between two comparisons means AND. Left out, with a clear
error: bare literals, functions, and lists of values in parentheses.
"""

import re
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from revops_mesh.aip import BadField

MAX_LENGTH = 2_000  # characters
MAX_TERMS = 50  # comparisons
MAX_DEPTH = 20  # levels of AND, OR, NOT and the comparisons within; parentheses alone are none

# `and_`, `or_`, `not_` of nodes; `comparison` of the tokens field, operator, value; `bare` of one token.
Node = Tree[Any]

_PARSER = Lark(
    r"""
    ?start: and_ |
    ?and_: sequence (_AND sequence)*
    ?sequence: or_ | or_ or_+ -> and_
    ?or_: term (_OR term)*
    ?term: _NOT simple -> not_ | simple
    ?simple: comparison | "(" and_ ")"
    comparison: FIELD OPERATOR (WORD | NUMBER | STRING) | (FIELD | STRING) -> bare

    _AND: /AND(?![\w.])/
    _OR: /OR(?![\w.])/
    _NOT: /NOT(?![\w.])|-/
    FIELD: /(?!(?:AND|OR|NOT)\b)[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*/
    OPERATOR: /<=|>=|!=|[=<>:]/
    WORD: /(?!(?:AND|OR|NOT)(?![^\s()]))[^\s()<>=!:,"'\\-][^\s()<>=!:,"'\\]*/
    NUMBER: /-[0-9]+(?:\.[0-9]+)?(?![^\s()])/
    STRING: /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/s
    %ignore /\s+/
    """,
    parser="lalr",
    maybe_placeholders=False,
)
_PIECE = re.compile(r"\\(?P<escaped>.)|(?P<star>\*)|(?P<plain>[^\\*]+)", re.DOTALL)


@lru_cache(maxsize=1024)
def parse(text: str) -> Node | None:
    """The tree of a filter, None for an empty one. Raises BadField("filter", …) naming the character at fault."""
    if len(text) > MAX_LENGTH:
        raise BadField("filter", f"has {len(text)} characters; at most {MAX_LENGTH} are allowed")
    if re.search("[\0\ud800-\udfff]", text):
        raise BadField("filter", "contains a character that no text can hold")
    try:
        tree = _PARSER.parse(text)
    except UnexpectedInput as error:
        token = getattr(error, "token", None)
        if token is not None and token.type == "$END":
            raise BadField("filter", "ends before it is complete") from None
        at = error.pos_in_stream or 0
        raise BadField("filter", f"cannot be read at character {at + 1}, from {text[at : at + 12]!r} on") from None
    depth, terms, level = 0, 0, [tree]
    while level:
        depth, terms = depth + 1, terms + sum(node.data == "comparison" for node in level)
        level = [part for node in level for part in node.children if isinstance(part, Tree)]
    if depth > MAX_DEPTH or terms > MAX_TERMS:
        limits = f"at most {MAX_TERMS} comparisons, nested at most {MAX_DEPTH} levels deep, are allowed"
        raise BadField("filter", f"has {terms} comparisons, {depth} levels deep; {limits}")
    return None if tree.data == "start" else tree


def position(token: Token) -> int:
    """Of the first character of a token, counted from 1."""
    return (token.start_pos or 0) + 1


def read_value(token: Token) -> tuple[str, str | None]:
    r"""A value without quotes and escapes, and the LIKE pattern it makes if it has wildcards, else None.

    A `*` is a wildcard at either end; the character itself is `\*` in quotes.
    """
    raw = token[1:-1] if token[0] in "\"'" else str(token)
    if "*" not in raw and "\\" not in raw:
        return raw, None
    text, pattern, wild = "", "", False
    for piece in _PIECE.finditer(raw):
        if piece["star"] and 0 < piece.start() < len(raw) - 1:
            raise BadField("filter", rf"a * inside the value at character {position(token)} is written \* in quotes")
        if piece["escaped"] and piece["escaped"] not in "\\\"'*":
            raise BadField("filter", rf"{piece[0]} at character {position(token)} is no escape; known: \\ \" \' \*")
        part = piece["escaped"] or piece[0]
        text, wild = text + part, wild or piece["star"] is not None
        pattern += "%" if piece["star"] else re.sub(r"([\\%_])", r"\\\1", part)
    return text, pattern if wild else None

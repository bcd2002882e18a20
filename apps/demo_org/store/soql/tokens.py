"""Cutting SOQL text into tokens, and the error excerpts that point into the text.

Belongs here: characters, positions, error texts. Not here: grammar.
"""

import re
from dataclasses import dataclass
from typing import Final

from apps.demo_org.store.errors import SoqlError

WORD: Final = "word"
STRING: Final = "string"
NUMBER: Final = "number"
DATE: Final = "date"
DATETIME: Final = "datetime"
SYMBOL: Final = "symbol"
END: Final = "end"

_PATTERNS = (
    (DATETIME, re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:?\d{2})")),
    (DATE, re.compile(r"\d{4}-\d{2}-\d{2}(?![\w:])")),
    (NUMBER, re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?(?![A-Za-z_])")),
    (WORD, re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")),
    (SYMBOL, re.compile(r"<=|>=|!=|<>|[(),=<>:]")),
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Token:
    """One token: its kind, its text (a string's unescaped value) and where it starts.

    ``like`` is a string's value with ``\\%`` and ``\\_`` still escaped, for LIKE.
    """

    kind: str
    text: str
    position: int
    like: str = ""

    def is_word(self, *words: str) -> bool:
        """Whether it is one of the keywords, in any case."""
        return self.kind == WORD and self.text.upper() in words


def tokenize(soql: str) -> list[Token]:
    """The tokens of the text, ended by an END token; MALFORMED_QUERY where a character fits nowhere."""
    tokens, position = [], 0
    while position < len(soql):
        space = _SPACE.match(soql, position)
        if space:
            position = space.end()
            continue
        token, position = _next(soql, position)
        tokens.append(token)
    return [*tokens, Token(END, "<EOF>", len(soql))]


def _next(soql: str, position: int) -> tuple[Token, int]:
    if soql[position] == "'":
        return _string(soql, position)
    for kind, pattern in _PATTERNS:
        found = pattern.match(soql, position)
        if found:
            return Token(kind, found.group(), position), found.end()
    raise malformed(
        soql,
        position,
        f"line {row_column(soql, position)[0]}:{position} no viable alternative at character '{soql[position]}'",
    )


def _string(soql: str, start: int) -> tuple[Token, int]:
    value: list[str] = []
    like: list[str] = []
    i = start + 1
    while i < len(soql):
        char = soql[i]
        if char == "'":
            return Token(STRING, "".join(value), start, "".join(like)), i + 1
        if char != "\\":
            value.append(char)
            like.append(char)
            i += 1
            continue
        plain, width = _escape(soql, i)
        value.append(plain)
        like.append("\\" + plain if plain in "%_\\" else plain)
        i += width
    raise SoqlError(
        "MALFORMED_QUERY", f"line {row_column(soql, start)[0]}:{start} mismatched character '<EOF>' expecting \"'\""
    )


def _escape(soql: str, i: int) -> tuple[str, int]:
    char = soql[i + 1 : i + 2]
    if char in _ESCAPES or char.lower() in _ESCAPES:
        return _ESCAPES.get(char, _ESCAPES.get(char.lower(), "")), 2
    if char in ("%", "_"):
        return char, 2
    if char == "u" and re.fullmatch("[0-9a-fA-F]{4}", soql[i + 2 : i + 6]):
        return chr(int(soql[i + 2 : i + 6], 16)), 6
    raise SoqlError("MALFORMED_QUERY", f"Illegal string literal escape sequence: \\{char}")


def row_column(soql: str, position: int) -> tuple[int, int]:
    """One-based row and column of a position."""
    before = soql[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1


def excerpt_error(code: str, soql: str, position: int, message: str) -> SoqlError:
    """An error in the recorded form: the text, a caret under the place, row and column, the message."""
    row, column = row_column(soql, position)
    line = soql.split("\n")[row - 1]
    start = max(0, column - 1 - 60) if len(line) > 120 else 0
    shown = line[start : start + 120]
    caret = " " * (column - 1 - start) + "^"
    return SoqlError(code, f"\n{shown}\n{caret}\nERROR at Row:{row}:Column:{column}\n{message}")


def malformed(soql: str, position: int, message: str) -> SoqlError:
    """MALFORMED_QUERY with the excerpt."""
    return excerpt_error("MALFORMED_QUERY", soql, position, message)


def unexpected(token: Token) -> SoqlError:
    """MALFORMED_QUERY for a token the grammar has no place for, as recorded: without an excerpt."""
    text = f"'{token.text}'" if token.kind == STRING else token.text
    return SoqlError("MALFORMED_QUERY", f"unexpected token: {text}")

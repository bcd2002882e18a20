"""SOQL grammar, lower half: token handling, expressions, values and conditions.

Belongs here: what may stand in WHERE and HAVING, and field expressions. Not here: the clauses around them.
"""

from abc import ABC, abstractmethod
from typing import Final

from apps.demo_org.store.soql import tokens as t
from apps.demo_org.store.soql.tree import (
    Call,
    Comparison,
    Condition,
    Expression,
    Logic,
    Membership,
    Path,
    Select,
    SemiJoin,
    Value,
)

_COMPARISONS: Final = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_LITERALS: Final = {"TRUE": "boolean", "FALSE": "boolean", "NULL": "null"}
FUNCTIONS: Final = {
    name.upper(): name
    for name in (
        "COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM", "AVG", "toLabel", "convertCurrency", "FORMAT",
        "convertTimezone", "CALENDAR_YEAR", "CALENDAR_QUARTER", "CALENDAR_MONTH", "DAY_ONLY", "DAY_IN_MONTH",
        "DAY_IN_WEEK", "DAY_IN_YEAR", "HOUR_IN_DAY", "WEEK_IN_YEAR", "FISCAL_YEAR", "FISCAL_QUARTER",
        "FISCAL_MONTH",
    )
}  # fmt: skip


class TokenReader:
    """A cursor over the tokens."""

    def __init__(self, soql: str) -> None:
        self.soql = soql
        self._tokens = t.tokenize(soql)
        self._next = 0

    @property
    def current(self) -> t.Token:
        """The token not yet taken."""
        return self._tokens[self._next]

    def advance(self) -> t.Token:
        """Take a token."""
        found = self.current
        if found.kind != t.END:
            self._next += 1
        return found

    def peek_symbol(self, symbol: str) -> bool:
        """Whether the token after the current one is the symbol."""
        following = self._tokens[min(self._next + 1, len(self._tokens) - 1)]
        return following.kind == t.SYMBOL and following.text == symbol

    def take_word(self, *words: str) -> t.Token | None:
        """Take the token if it is one of the keywords."""
        return self.advance() if self.current.is_word(*words) else None

    def take_symbol(self, symbol: str) -> bool:
        """Take the token if it is the symbol."""
        if self.current.kind == t.SYMBOL and self.current.text == symbol:
            self.advance()
            return True
        return False

    def expect_word(self, word: str) -> None:
        """Take the keyword or fail."""
        if not self.take_word(word):
            raise t.unexpected(self.current)

    def expect_symbol(self, symbol: str) -> None:
        """Take the symbol or fail."""
        if not self.take_symbol(symbol):
            raise t.unexpected(self.current)

    def word(self) -> t.Token:
        """Take any word."""
        if self.current.kind != t.WORD:
            raise t.unexpected(self.current)
        return self.advance()

    def path(self) -> Path:
        """Take a dotted name."""
        token = self.word()
        return Path(token.text, token.position)


class ConditionParser(TokenReader, ABC):
    """Expressions, values and conditions."""

    @abstractmethod
    def select(self) -> Select:
        """A query; the parser of whole queries provides it for semi-joins."""

    def expression(self) -> Expression:
        """A field or a function of one."""
        if self.current.kind == t.WORD and self.current.text.upper() in FUNCTIONS and self.peek_symbol("("):
            return self._call()
        return self.path()

    def _call(self) -> Call:
        token = self.advance()
        self.expect_symbol("(")
        argument = None
        if not self.take_symbol(")"):
            inner = self.expression()
            argument = inner if isinstance(inner, Path) else inner.argument
            self.expect_symbol(")")
        return Call(token.text.upper(), argument, token.position)

    def condition(self) -> Condition:
        """Conditions joined by AND or OR; Salesforce refuses a mix without parentheses."""
        first = self._unary()
        for operator in ("AND", "OR"):
            if self.current.is_word(operator):
                operands = [first]
                while self.take_word(operator):
                    operands.append(self._unary())
                if self.current.is_word("AND", "OR"):
                    raise t.unexpected(self.current)
                return Logic(operator, tuple(operands))
        return first

    def _unary(self) -> Condition:
        if self.take_word("NOT"):
            return Logic("NOT", (self._unary(),))
        if self.take_symbol("("):
            found = self.condition()
            self.expect_symbol(")")
            return found
        return self._simple()

    def _simple(self) -> Condition:
        left = self.expression()
        if self.current.kind == t.SYMBOL and self.current.text in _COMPARISONS:
            return Comparison(left, _COMPARISONS[self.advance().text], self.value())
        if self.take_word("LIKE"):
            return Comparison(left, "LIKE", self.value())
        if self.take_word("INCLUDES"):
            return Membership(left, "INCLUDES", self._list())
        if self.take_word("EXCLUDES"):
            return Membership(left, "EXCLUDES", self._list())
        negated = bool(self.take_word("NOT"))
        self.expect_word("IN")
        if isinstance(left, Path) and self.current.text == "(" and self._select_follows():
            self.expect_symbol("(")
            query = self.select()
            self.expect_symbol(")")
            return SemiJoin(left, negated, query)
        return Membership(left, "NOT IN" if negated else "IN", self._list())

    def _select_follows(self) -> bool:
        return self._tokens[self._next + 1].is_word("SELECT")

    def _list(self) -> tuple[Value, ...]:
        self.expect_symbol("(")
        values = [self.value()]
        while self.take_symbol(","):
            values.append(self.value())
        self.expect_symbol(")")
        return tuple(values)

    def value(self) -> Value:
        """A literal."""
        token = self.advance()
        if token.kind in (t.STRING, t.NUMBER, t.DATE, t.DATETIME):
            return Value(token.kind, token.text, token.position, token.like)
        if token.kind == t.SYMBOL and token.text == ":":
            raise t.malformed(self.soql, token.position, "Bind variables only allowed in Apex code")
        if token.kind != t.WORD:
            raise t.unexpected(token)
        name = token.text.upper()
        if name in _LITERALS:
            return Value(_LITERALS[name], name.lower(), token.position)
        count = None
        if self.take_symbol(":"):
            number = self.advance()
            if number.kind != t.NUMBER or not number.text.isdigit():
                raise t.unexpected(number)
            count = int(number.text)
        return Value("range", name, token.position, count=count)

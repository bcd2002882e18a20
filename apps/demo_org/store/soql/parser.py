"""SOQL grammar: a recursive-descent parser from tokens to the tree.

Belongs here: syntax and syntax errors. Not here: whether objects and fields exist.
"""

from typing import Final

from apps.demo_org.store.errors import SoqlError
from apps.demo_org.store.soql import tokens as t
from apps.demo_org.store.soql.conditions import ConditionParser
from apps.demo_org.store.soql.tree import (
    Call,
    Condition,
    Expression,
    Fields,
    Order,
    Path,
    Select,
    SelectItem,
    TypeOf,
)

_AFTER_FROM: Final = (
    "USING", "WHERE", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "ALL", "UPDATE",
)  # fmt: skip
MAXIMUM_OFFSET: Final = 2000
MAXIMUM_LENGTH: Final = 100_000


def parse(soql: str) -> Select:
    """The tree of a SOQL text; SoqlError MALFORMED_QUERY where it is none."""
    if len(soql) > MAXIMUM_LENGTH:
        raise SoqlError("MALFORMED_QUERY", f"SOQL statements cannot be longer than {MAXIMUM_LENGTH} characters.")
    parser = Parser(soql)
    found = parser.select()
    if parser.current.kind != t.END:
        raise t.unexpected(parser.current)
    return found


class Parser(ConditionParser):
    """One pass over the tokens of one text."""

    def select(self) -> Select:
        """A query from SELECT to its end."""
        position = self.current.position
        self.expect_word("SELECT")
        items = self._items()
        is_count = len(items) == 1 and _is_bare_count(items[0])
        self.expect_word("FROM")
        source = self.path()
        alias = self._alias(_AFTER_FROM)
        relations = self._relations()
        scope = None
        if self.take_word("USING"):
            self.expect_word("SCOPE")
            scope = self.word().text.lower()
        where = self.condition() if self.take_word("WHERE") else None
        self._with()
        group_by, having = self._grouping()
        order_by = self._ordering()
        limit = self._count_after("LIMIT")
        offset = self._count_after("OFFSET")
        if offset and offset > MAXIMUM_OFFSET:
            raise SoqlError("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAXIMUM_OFFSET}")
        return Select(
            tuple(items), source, alias, scope, where, group_by, having, order_by, limit, offset,
            self._ending(), position, is_count, relations,
        )  # fmt: skip

    def _relations(self) -> tuple[tuple[str, Path], ...]:
        """Names for parents, as in ``FROM Contact c, c.Account a``."""
        found = []
        while self.take_symbol(","):
            path = self.path()
            alias = self._alias(_AFTER_FROM)
            if alias is None:
                raise t.unexpected(self.current)
            found.append((alias.lower(), path))
        return tuple(found)

    def _items(self) -> list[SelectItem | Fields | Select | TypeOf]:
        items = [self._item()]
        while self.take_symbol(","):
            items.append(self._item())
        return items

    def _item(self) -> SelectItem | Fields | Select | TypeOf:
        if self.take_symbol("("):
            found = self.select()
            self.expect_symbol(")")
            return found
        if self.current.is_word("FROM"):
            raise t.unexpected(self.current)
        if self.take_word("TYPEOF"):
            return self._type_of()
        if self.current.is_word("FIELDS") and self.peek_symbol("("):
            return self._fields()
        expression = self.expression()
        return SelectItem(expression, self._alias(("FROM",)))

    def _type_of(self) -> TypeOf:
        relationship, branches = self.path(), []
        while self.take_word("WHEN"):
            kind = self.path()
            self.expect_word("THEN")
            branches.append((kind, self._paths()))
        if not branches:
            raise t.unexpected(self.current)
        otherwise = self._paths() if self.take_word("ELSE") else ()
        self.expect_word("END")
        return TypeOf(relationship, tuple(branches), otherwise)

    def _paths(self) -> tuple[Path, ...]:
        found = [self.path()]
        while self.take_symbol(","):
            found.append(self.path())
        return tuple(found)

    def _fields(self) -> Fields:
        position = self.advance().position
        self.expect_symbol("(")
        group = self.word()
        if not group.is_word("ALL", "STANDARD", "CUSTOM"):
            raise t.unexpected(group)
        self.expect_symbol(")")
        return Fields(group.text.upper(), position)

    def _alias(self, stop: tuple[str, ...]) -> str | None:
        if self.current.kind == t.WORD and "." not in self.current.text and not self.current.is_word(*stop):
            return self.advance().text
        return None

    def _with(self) -> None:
        """WITH SECURITY_ENFORCED, USER_MODE and SYSTEM_MODE change nothing here: visibility always applies."""
        while self.take_word("WITH"):
            if not self.current.is_word("SECURITY_ENFORCED", "USER_MODE", "SYSTEM_MODE"):
                raise t.unexpected(self.current)
            self.advance()

    def _grouping(self) -> tuple[tuple[Expression, ...], Condition | None]:
        group_by: list[Expression] = []
        if self.take_word("GROUP"):
            self.expect_word("BY")
            group_by.append(self.expression())
            while self.take_symbol(","):
                group_by.append(self.expression())
        having = self.condition() if self.take_word("HAVING") else None
        return tuple(group_by), having

    def _ordering(self) -> tuple[Order, ...]:
        if not self.take_word("ORDER"):
            return ()
        self.expect_word("BY")
        found = [self._order()]
        while self.take_symbol(","):
            found.append(self._order())
        return tuple(found)

    def _order(self) -> Order:
        expression = self.expression()
        descending = bool(self.take_word("DESC"))
        if not descending:
            self.take_word("ASC")
        nulls_last = False
        if self.take_word("NULLS"):
            place = self.word()
            if not place.is_word("FIRST", "LAST"):
                raise t.unexpected(place)
            nulls_last = place.is_word("LAST")
        return Order(expression, descending, nulls_last)

    def _count_after(self, keyword: str) -> int | None:
        if not self.take_word(keyword):
            return None
        token = self.advance()
        if token.kind != t.NUMBER or not token.text.isdigit():
            raise t.unexpected(token)
        return int(token.text)

    def _ending(self) -> bool:
        all_rows = False
        while True:
            if self.take_word("FOR"):
                kind = self.word()
                if not kind.is_word("VIEW", "REFERENCE", "UPDATE"):
                    raise t.unexpected(kind)
            elif self.take_word("ALL"):
                self.expect_word("ROWS")
                all_rows = True
            else:
                return all_rows


def _is_bare_count(item: SelectItem | Fields | Select | TypeOf) -> bool:
    if not isinstance(item, SelectItem) or not isinstance(item.expression, Call):
        return False
    return item.expression.name == "COUNT" and item.expression.argument is None


__all__ = ["Parser", "Path", "parse"]

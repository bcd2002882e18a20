"""Salesforce record ids: the three-letter checksum, normal form, made-up ids.

Belongs here: pure id arithmetic in Python and the same in SQL. Not here: which object has which prefix.
"""

import re

_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#: Instance code and reserved digit that follow the key prefix in every id made here.
INSTANCE = "5g0"
_ID = re.compile(r"[0-9a-zA-Z]{15}([0-9a-zA-Z]{3})?")


def checksum(id15: str) -> str:
    """The three characters that make a case-sensitive 15-character id safe to compare without case."""
    groups = (id15[0:5], id15[5:10], id15[10:15])
    return "".join(_SUFFIX[sum(1 << i for i, c in enumerate(g) if "A" <= c <= "Z")] for g in groups)


def is_id(value: str) -> bool:
    """Whether the text has the form of a 15- or 18-character id."""
    return bool(_ID.fullmatch(value))


def normal_id(value: str) -> str:
    """The 18-character form; an id folded to small letters gets its case back; text that is no id stays."""
    if not _ID.fullmatch(value):
        return value
    if len(value) == 15:
        return value + checksum(value)
    # Checksums have no small letters, so one that has was folded by a client. Any other id is taken as
    # it is: restored files keep theirs even where the checksum is wrong.
    if value[15:] != value[15:].upper() and value == value.lower():
        return _restore_case(value) + value[15:].upper()
    return value


def _restore_case(id18: str) -> str:
    """The first 15 characters with the case their checksum says (clients may have lost it)."""
    found = []
    for group in range(3):
        bits = _SUFFIX.find(id18[15 + group].upper())
        for i, char in enumerate(id18[group * 5 : group * 5 + 5]):
            found.append(char.upper() if bits >> i & 1 else char.lower())
    return "".join(found)


def make_id(prefix: str, number: int) -> str:
    """The 18-character id of the ``number``-th made-up record of an object."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    id15 = prefix + INSTANCE + digits.rjust(9, "0")
    return id15 + checksum(id15)


def number_of(made: str) -> int:
    """The number that ``make_id`` made an id of."""
    number = 0
    for digit in made[6:15]:
        number = number * 62 + _BASE62.index(digit)
    return number


def access_id(user_id: str) -> str:
    """The id of a user's record of UserPermissionAccess."""
    return normal_id("0Up" + user_id[3:15])


def _group_sql(expression: str, start: int) -> str:
    bits = " + ".join(f"(substr({expression}, {start + i}, 1) BETWEEN 'A' AND 'Z')::INT * {1 << i}" for i in range(5))
    return f"substr('{_SUFFIX}', 1 + {bits}, 1)"


#: Macros every connection's database has: id18(x) extends 15 characters; made_id(prefix, n) equals make_id.
ID_MACROS = (
    "CREATE OR REPLACE MACRO id_checksum(x) AS " + " || ".join(_group_sql("x", start) for start in (1, 6, 11)),
    "CREATE OR REPLACE MACRO id18(x) AS CASE WHEN length(x) = 15 AND regexp_full_match(x, '[0-9a-zA-Z]{15}') "
    "THEN x || id_checksum(x) ELSE x END",
    "CREATE OR REPLACE MACRO made_id(prefix, n) AS id18(prefix || '"
    + INSTANCE
    + "0000' || "
    + " || ".join(f"substr('{_BASE62}', 1 + CAST((n // {62**p}) % 62 AS INT), 1)" for p in (4, 3, 2, 1, 0))
    + ")",
)

"""SOSL: ``/search?q=FIND {...} IN ... FIELDS RETURNING ...``.

Belongs here: reading the text, and finding words in the records as they are now. An object's fields, conditions,
order and limit are passed on as SOQL.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.demo_org.errors import ApiError
from apps.demo_org.exchange import answer, exchange_of, session_of, state_of, version_of
from apps.demo_org.store import ObjectType

_FIND: Final = re.compile(
    r"\s*FIND\s*\{(?P<terms>(?:\\.|[^}\\])*)\}\s*(?:IN\s+(?P<group>ALL|NAME|EMAIL|PHONE|SIDEBAR)\s+FIELDS\s*)?"
    r"(?:RETURNING\s+(?P<returning>.*?))?\s*(?:(?<!\w)LIMIT\s+(?P<limit>\d+)\s*)?",
    re.IGNORECASE | re.DOTALL,
)
_RETURNED: Final = re.compile(
    r"\s*(?P<object>\w+)\s*(?:\((?P<fields>[\w.,\s]*?)(?P<rest>\s(?:WHERE|ORDER|LIMIT)\s.*?)?\))?\s*(?:,|$)",
    re.IGNORECASE | re.DOTALL,
)
_WORDS: Final = re.compile(r'"([^"]*)"|(\S+)')
#: Searched where RETURNING names none.
_DEFAULT: Final = ("Account", "Contact", "Lead", "Opportunity")
_TYPES: Final = {"EMAIL": ("email",), "PHONE": ("phone",), "ALL": ("string", "email", "phone", "picklist", "url")}
_AT_MOST: Final = 2_000


@dataclass(frozen=True)
class _Wanted:
    """One object of RETURNING: its fields, and the clauses behind them."""

    object: str
    fields: str
    rest: str


def search(request: Request) -> Response:
    """Answer the records that hold every word, object by object."""
    found = _FIND.fullmatch(request.query_params.get("q", ""))
    if found is None or not found["terms"].strip():
        raise ApiError(400, "MALFORMED_SEARCH", "The search needs the form FIND {words} IN ALL FIELDS RETURNING ...")
    words = [_pattern(quoted or word) for quoted, word in _WORDS.findall(found["terms"]) if word.upper() != "AND"]
    records: list[dict[str, Any]] = []
    for wanted in _returned(found["returning"]):
        records += _search_object(request, wanted, words, (found["group"] or "ALL").upper())
    exchange_of(request).rows = len(records)
    return answer({"searchRecords": records[: int(found["limit"] or _AT_MOST)]})


def _returned(text: str | None) -> list[_Wanted]:
    if text is None:
        return [_Wanted(name, "Id", "") for name in _DEFAULT]
    wanted, position = [], 0
    while position < len(text):
        found = _RETURNED.match(text, position)
        if found is None:
            raise ApiError(400, "MALFORMED_SEARCH", f"unexpected token: {text[position:].strip()[:40]}")
        wanted.append(_Wanted(found["object"], (found["fields"] or "").strip() or "Id", found["rest"] or ""))
        position = found.end()
    return wanted


def _pattern(word: str) -> re.Pattern[str]:
    """A word as it is found: whole, in any case; ``*`` stands for more letters, ``?`` for one."""
    text = re.sub(r"\\(.)", r"\1", word).strip()
    inner = re.escape(text).replace(r"\*", r"\w*").replace(r"\?", r"\w")
    return re.compile(rf"(?<!\w){inner}(?!\w)", re.IGNORECASE)


def _search_object(request: Request, wanted: _Wanted, words: list[re.Pattern[str]], group: str) -> list[dict[str, Any]]:
    org = state_of(request)
    kind = org.store.object_type(wanted.object, org.visibility())
    names = [name for name in _searched(kind, group) if org.visibility().sees(kind.name, name)]
    if not names:
        return []
    query = org.store.query(f"SELECT Id, {', '.join(names)} FROM {kind.name}", visibility=org.visibility())
    ids = [
        str(row[0])
        for batch in query.batches(10_000)
        for row in batch
        if all(any(value and word.search(str(value)) for value in row[1:]) for word in words)
    ][:_AT_MOST]
    return _read(request, wanted, ids) if ids else []


def _searched(kind: ObjectType, group: str) -> list[str]:
    fields = [field for field in kind.fields.values() if field.describe["filterable"]]
    if group in ("NAME", "SIDEBAR"):
        return [f.name for f in fields if f.describe["nameField"] or f.name in ("FirstName", "LastName")]
    return [field.name for field in fields if field.type in _TYPES[group]]


def _read(request: Request, wanted: _Wanted, ids: list[str]) -> list[dict[str, Any]]:
    org = state_of(request)
    condition = f"Id IN ({', '.join(repr(each) for each in ids)})"
    where = re.match(
        r"\s*WHERE\s+(?P<tree>.*?)(?P<after>\s(?:ORDER|LIMIT)\s.*)?$", wanted.rest, re.IGNORECASE | re.DOTALL
    )
    rest = f"AND ({where['tree']}){where['after'] or ''}" if where else wanted.rest
    soql = f"SELECT {wanted.fields} FROM {wanted.object} WHERE {condition} {rest}"
    found = org.store.query(soql, visibility=org.visibility(), user=session_of(request).user_id)
    try:
        return found.records(0, _AT_MOST, f"v{version_of(request)}")
    finally:
        found.close()


routes = [Route("/services/data/v{version}/search", search, methods=["GET"])]

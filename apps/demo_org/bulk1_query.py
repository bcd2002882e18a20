"""The queries of Bulk API 1: results as CSV, JSON or XML, and the ranges that PK chunking cuts an object into.

Belongs here: from SOQL to the bytes of a result. Not here: batches and their states.
"""

import datetime as dt
import gzip
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from apps.demo_org.bulk1_content import write_rows
from apps.demo_org.store import OrgStore, Visibility
from apps.demo_org.store.query import Query

#: What a CSV result without rows holds, in place of a header.
NOTHING: Final = b"Records not found for this query\n"
DEFAULT_CHUNK: Final = 100_000
LARGEST_CHUNK: Final = 250_000
_PAGE: Final = 2_000
_ONE_PAGE: Final = 1 << 40
_TOP_LEVEL: Final = re.compile(r"'(?:[^'\\]|\\.)*'|\(|\)|\bwhere\b", re.IGNORECASE)
_NOT_CHUNKED: Final = re.compile(r"\b(order\s+by|limit|offset|group\s+by)\b", re.IGNORECASE)
_CHUNK_SIZE: Final = re.compile(r"chunkSize\s*=\s*(\d+)", re.IGNORECASE)
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Asked:
    """A query, in which form its result is wanted, and by whom; ``version`` as in ``v62.0``."""

    soql: str
    content_type: str
    version: str
    include_deleted: bool
    seen: Visibility
    user: str


def chunk_size(header: str) -> int | None:
    """What ``Sforce-Enable-PKChunking`` asks for: records of a chunk, or None where it is off."""
    text = header.strip().lower()
    if text in ("", "false"):
        return None
    found = _CHUNK_SIZE.search(header)
    return min(max(1, int(found[1])), LARGEST_CHUNK) if found else DEFAULT_CHUNK


def can_be_chunked(soql: str) -> bool:
    """Whether a query may be cut by ids: one with an order or a limit may not."""
    return _NOT_CHUNKED.search(re.sub(r"'(?:[^'\\]|\\.)*'", "''", soql)) is None


def chunks(store: OrgStore, soql: str, name: str, size: int, include_deleted: bool) -> list[str]:
    """One query for each range of ``size`` ids of the object, those its condition leaves out counted too."""
    found = store.query(f"SELECT Id FROM {name} ORDER BY Id", include_deleted=include_deleted, visibility=Visibility())
    ids = [str(row[0]) for batch in found.batches(10_000) for row in batch]
    starts = ids[::size] or [""]
    ranges = []
    for number, start in enumerate(starts):
        bounds = [f"Id >= '{start}'"] if number else []
        bounds += [f"Id < '{starts[number + 1]}'"] if number + 1 < len(starts) else []
        ranges.append(" AND ".join(bounds))
    return [with_condition(soql, each) for each in ranges]


def with_condition(soql: str, condition: str) -> str:
    """The query with one more condition; it must end with its own WHERE clause, or have none."""
    if not condition:
        return soql
    depth = 0
    for found in _TOP_LEVEL.finditer(soql):
        word = found[0].lower()
        depth += {"(": 1, ")": -1}.get(word, 0)
        if word == "where" and depth == 0:
            return f"{soql[: found.end()]} ({condition}) AND ({soql[found.end() :]})"
    return f"{soql} WHERE {condition}"


def run(store: OrgStore, asked: Asked, target: Path) -> int:
    """Write a query's result into ``target`` and return how many records it has; SoqlError where it is refused."""
    if asked.content_type == "CSV":
        return _csv(store, asked, target)
    found = store.query(
        asked.soql, include_deleted=asked.include_deleted, bulk=True, visibility=asked.seen, user=asked.user
    )
    try:
        total = found.total()
        records = [each for start in range(0, total, _PAGE) for each in found.records(start, _PAGE, asked.version)]
    finally:
        found.close()
    if asked.content_type == "JSON":
        _count_milliseconds(found, records)
        target.write_bytes(json.dumps(records, ensure_ascii=False).encode())
    else:
        target.write_bytes(write_rows(records))
    return total


def _csv(store: OrgStore, asked: Asked, target: Path) -> int:
    folder = target.with_suffix(".pages")
    pages = store.write_bulk_csv(
        asked.soql,
        folder,
        include_deleted=asked.include_deleted,
        page_rows=_ONE_PAGE,
        gzip_level=1,
        visibility=asked.seen,
        user=asked.user,
    )
    rows = sum(page.rows for page in pages)
    with target.open("wb") as out:
        if rows == 0:
            out.write(NOTHING)
        else:
            with gzip.open(pages[0].path, "rb") as page:
                shutil.copyfileobj(page, out, 1 << 20)
    shutil.rmtree(folder)
    return rows


def _count_milliseconds(found: Query, records: list[dict[str, Any]]) -> None:
    """Turn instants into milliseconds since 1970, as this API writes them in JSON."""
    for column in found.columns:
        if column.field is None or column.field.sql_type not in ("TIMESTAMP", "DATE"):
            continue
        for record in records:
            holder: Any = record
            for name in column.path[:-1]:
                holder = holder and holder.get(name)
            text = holder and holder.get(column.path[-1])
            if text:
                value = dt.datetime.fromisoformat(text)
                value = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
                holder[column.path[-1]] = (value - _EPOCH) // dt.timedelta(milliseconds=1)

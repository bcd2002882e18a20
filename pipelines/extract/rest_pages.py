"""Landing a query by REST, page by page in the order of the Ids, in the very CSV form of Bulk API 2.0.

A page begins after the last Id of the one before, so it can be asked for again at any time: the org's own cursors
expire. Which transport a job takes is decided in ``pipelines.extract.submit``.
"""

import csv
import gzip
import hashlib
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from data_contracts.contracts import literal
from data_contracts.errors import ExtractionError
from pipelines.extract.fields import cursor_field
from pipelines.extract.jobs import operation_of
from resources.landing import LandedPage, LandingFolder, Manifest
from resources.salesforce import SalesforceOrg

#: What one answer holds at most.
PAGE_ROWS = 2_000
#: How often a page is asked for whose parts do not fit together, because records changed in between.
ATTEMPTS = 5

Record = dict[str, Any]


def land_rest(org: SalesforceOrg, folder: LandingFolder, told: Callable[[int], None]) -> None:
    """Land every page that is missing; ``told`` hears the rows of each."""
    manifest = folder.manifest
    names = [field.name for field in manifest.fields]
    chunks = field_chunks(org, manifest)
    last = _unbroken(folder)
    while last or not manifest.pages:
        records = _page(org, manifest, chunks, last)
        following = str(records[-1]["Id"]) if len(records) == PAGE_ROWS else ""
        target = folder.page_target(last).with_suffix(".csv.gz")
        rows = write_rest_pages(target, names, [records])
        folder.add_page(_landed(target, last, following, rows))
        told(rows)
        last = following
    folder.set_records(sum(page.rows for page in manifest.pages))


def _unbroken(folder: LandingFolder) -> str:
    """Return the Id after which to go on: where the chain of landed pages ends. Pages beyond a gap are given up.

    A page in the middle may have been damaged on disk. Asked for again it may end elsewhere than the next one begins.
    """
    by_start = {page.locator: page for page in folder.manifest.pages}
    chain: list[LandedPage] = []
    while page := by_start.get(chain[-1].next_locator if chain else ""):
        chain.append(page)
        if not page.next_locator:
            break
    if len(chain) < len(folder.manifest.pages):
        with folder.changing() as manifest:
            manifest.pages = chain
    return chain[-1].next_locator if chain else ""


def field_chunks(org: SalesforceOrg, manifest: Manifest) -> list[list[str]]:
    """Return the fields, in as many parts as it takes for each query to fit a URL.

    Each part has the Id and the stamp, by which the parts of a record are joined and known to be of one version.
    """
    names = [field.name for field in manifest.fields]
    keys = [name for name in ("Id", cursor_field(names)) if name in names]
    chunks: list[list[str]] = [[]]
    for name in names:
        if name not in keys and not org.rest.fits_in_url(_soql(manifest, [*keys, *chunks[-1], name], "x" * 18)):
            chunks.append([])
        if name not in keys:
            chunks[-1].append(name)
    if len(chunks) == 1:
        return [names]
    if any(len(chunk) == 0 for chunk in chunks):
        raise ExtractionError(
            f"the condition on {manifest.api_name} is too long for a query by REST",
            why="this object or org has no Bulk API, and a URL holds 8,000 characters",
            next_step=f"shorten objects.{manifest.object}.selection, then run the command again",
        )
    return [[*keys, *chunk] for chunk in chunks]


def _soql(manifest: Manifest, fields: Sequence[str], after: str) -> str:
    bounds = [f"Id > {literal(after)}"] if after else []
    whole = [f"({manifest.where})" if bounds else manifest.where] if manifest.where else []
    where = f" WHERE {' AND '.join([*whole, *bounds])}" if whole or bounds else ""
    return f"SELECT {', '.join(fields)} FROM {manifest.api_name}{where} ORDER BY Id LIMIT {PAGE_ROWS}"


def _page(org: SalesforceOrg, manifest: Manifest, chunks: list[list[str]], after: str) -> list[Record]:
    deleted = operation_of(manifest.purpose) == "queryAll"

    def ask(fields: list[str]) -> list[Record]:
        pages = org.query(_soql(manifest, fields, after), include_deleted=deleted)
        return [record for page in pages for record in page]

    if len(chunks) == 1:
        return ask(chunks[0])
    keys = [name for name in chunks[0] if name in chunks[1]]
    for _ in range(ATTEMPTS):
        parts = [ask(chunk) for chunk in chunks]
        versions = [[tuple(record.get(key) for key in keys) for record in part] for part in parts]
        if all(version == versions[0] for version in versions):
            return [{k: v for part in row for k, v in part.items()} for row in zip(*parts, strict=True)]
    raise ExtractionError(
        f"{manifest.api_name}: records change faster than a page of them can be read in {len(chunks)} parts",
        why="the query is too long for one URL, and the parts must be of one version",
        next_step=f"run: crosswalk sync --object {manifest.object}; pages already landed are kept",
    )


def _landed(target: Path, locator: str, following: str, rows: int) -> LandedPage:
    with target.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    size = target.stat().st_size
    return LandedPage(file=target.name, locator=locator, next_locator=following, rows=rows, bytes=size, sha256=digest)


def write_rest_pages(target: Path, names: list[str], pages: Iterable[list[Record]]) -> int:
    """Write REST records to ``target`` as Bulk API 2.0 would: every value quoted, null empty; return the rows."""
    part, rows = target.with_name(target.name + ".part"), 0
    with part.open("wb") as raw:
        with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1, mtime=0) as packed:
            text = io.TextIOWrapper(packed, encoding="utf-8", errors="replace", newline="")
            writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
            writer.writerow(names)
            for page in pages:
                writer.writerows(_cells(page, names))
                rows += len(page)
            text.flush()
            text.detach()
        raw.flush()
        os.fsync(raw.fileno())
    part.rename(target)
    return rows


def _cells(page: list[Record], names: list[str]) -> Iterator[list[str]]:
    for record in page:
        yield [_cell(record.get(name)) for name in names]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)

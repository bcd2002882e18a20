"""Ids on disk: folders of the landing area that hold the Ids of an object and nothing else of its records.

Who is asked for them is ``pipelines.extract.lists``; reading them into the warehouse is ``pages.load_ids``.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from data_contracts.contracts import literal
from data_contracts.errors import ExtractionError
from pipelines.extract.objects import api_name, table_name
from pipelines.extract.pages import check_headers, read_csv
from pipelines.extract.plan import match_key, soql_of
from pipelines.extract.rest_pages import write_rest_pages
from pipelines.tables import scalar
from resources.home import Home
from resources.landing import LandedField, LandedPage, LandingFolder, Manifest
from resources.salesforce import SalesforceOrg

_ID = [LandedField(name="Id", type="VARCHAR")]


def id_manifest(org: SalesforceOrg, name: str, where: str | None, key: str, eligible: int) -> Manifest:
    """Return the manifest of an Id-only query; ``key`` says what the Ids are for."""
    api = api_name(name)
    return Manifest(
        org_id=org.identity().org_id,
        object=table_name(name),
        api_name=api,
        purpose="ids",
        kind="full",
        transport="rest",
        soql=soql_of(["Id"], api, [where]),
        fields=_ID,
        api_version=org.api_version,
        match_key=match_key("list", key),
        restricted=True,
        since=None,
        until=org.server_time(),
        eligible=eligible,
        created_at=datetime.now(UTC),
        selection_key=key,
    )


def land_known_ids(
    org: SalesforceOrg, home: Home, name: str, groups: Iterable[Iterable[str]], key: str
) -> LandingFolder:
    """Land Ids that are at hand, group by group, as if a query had brought them."""
    folder = LandingFolder.create(home.landing, id_manifest(org, name, None, key, 0))
    target = folder.page_target("").with_suffix(".csv.gz")
    rows = write_rest_pages(target, ["Id"], ([{"Id": text} for text in sorted(group)] for group in groups))
    _enter(folder, target, rows)
    with duckdb.connect() as con:
        different = scalar(con, f"SELECT count(*) FROM ({_distinct([folder])})")
    if different != rows:
        folder.abandon("an Id came twice")
        raise ExtractionError(
            f"{folder.manifest.api_name}: {rows:,} Ids were read and only {different:,} differ",
            why="slices of a report overlap, or records changed while it was read",
            next_step="run the command again; the last good data stays",
        )
    return folder


def union_ids(org: SalesforceOrg, home: Home, name: str, folders: Sequence[LandingFolder], key: str) -> LandingFolder:
    """Land the Ids that are in at least one of ``folders``."""
    folder = LandingFolder.create(home.landing, id_manifest(org, name, None, key, 0))
    target = folder.page_target("").with_suffix(".csv.gz")
    with duckdb.connect() as con:
        copied = f"COPY ({_distinct(folders)}) TO {literal(str(target))} (HEADER, FORCE_QUOTE *, COMPRESSION gzip)"
        rows = scalar(con, copied)
    _enter(folder, target, rows)
    return folder


def read_ids(folder: LandingFolder) -> list[str]:
    """Return the Ids of a folder, sorted."""
    with duckdb.connect() as con:
        rows = con.execute(f'{_distinct([folder])} ORDER BY "Id"').fetchall()
    return [str(row[0]) for row in rows]


def days_of(org: SalesforceOrg, api: str) -> list[str]:
    """Return the midnights (UTC) from the oldest record of an object to today, as Salesforce writes them."""
    pages = org.query(f"SELECT MIN(CreatedDate) oldest FROM {api}")
    oldest = next((record.get("oldest") for page in pages for record in page), None)
    if not oldest:
        return []
    first, last = datetime.fromisoformat(str(oldest)).date(), org.server_time().date()
    return [f"{first + timedelta(days=day)}T00:00:00Z" for day in range((last - first).days + 2)]


def _distinct(folders: Sequence[LandingFolder]) -> str:
    """Return the query of the Ids in any of the folders, each once."""
    files = [path for folder in folders for path in check_headers(folder)]
    return f'SELECT DISTINCT "Id" FROM {read_csv(files, _ID)}' if files else 'SELECT NULL::VARCHAR AS "Id" WHERE false'


def _enter(folder: LandingFolder, target: Path, rows: int) -> None:
    """Enter the one page of a folder, and that it is all of it."""
    with target.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    size = target.stat().st_size
    page = LandedPage(file=target.name, locator="", next_locator="", rows=rows, bytes=size, sha256=digest)
    with folder.changing() as manifest:
        manifest.pages, manifest.eligible, manifest.records = [page], rows, rows

"""Landing folders made by hand and loaded as a run does it: what happens to pages no demo org would send."""

import csv
import gzip
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from duckdb import DuckDBPyConnection

from data_contracts.settings import Settings
from pipelines.extract import LoadResult
from pipelines.extract.load import load_object
from pipelines.extract.plan import ObjectPlan
from pipelines.run import RunContext
from resources.home import Home
from resources.landing import LandedField, LandedPage, LandingFolder, Manifest
from resources.warehouse import Warehouse

START = datetime(2026, 1, 1, tzinfo=UTC)


def csv_page(names: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A page as Bulk API 2.0 writes it: header, every value quoted, null empty."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(["" if value is None else value for value in row] for row in rows)
    return text.getvalue().encode()


class LandedPages:
    """A home whose object ``thing__c`` is loaded from pages given as bytes."""

    def __init__(self, root: Path, fields: Sequence[LandedField], memory: str = "256MB") -> None:
        self.home, self.fields, self.count = Home(root), list(fields), 0
        self.settings = Settings()
        self.home.prepare()
        self.warehouse = Warehouse(self.home.warehouse, memory, threads=1)

    def land(
        self,
        pages: Sequence[tuple[bytes, int]],
        *,
        kind: Literal["full", "delta"] = "full",
        until: datetime = START,
        records: int | None = None,
    ) -> str:
        """Write a folder asked for now of ``(body, rows announced)``; return where it is."""
        manifest = Manifest(
            org_id="00D", object="thing__c", api_name="Thing__c", purpose="records", kind=kind, transport="bulk",
            soql="", fields=self.fields, api_version="62.0", match_key="k", restricted=False,
            since=None if kind == "full" else START, until=until, eligible=0, created_at=datetime.now(UTC),
            selection_key="s", records=sum(rows for _, rows in pages) if records is None else records,
        )  # fmt: skip
        folder = LandingFolder.create(self.home.landing, manifest)
        for number, (body, rows) in enumerate(pages):
            name, packed = f"page-{number}.csv.gz", gzip.compress(body, compresslevel=1)
            (folder.path / name).write_bytes(packed)
            folder.add_page(LandedPage(file=name, locator="", next_locator="", rows=rows, bytes=len(packed), sha256=""))
        return str(folder.path.relative_to(self.home.landing))

    def load(self, con: DuckDBPyConnection, landing: str) -> LoadResult:
        """Load a folder as a run of its own; a repeated one is loaded as if no load of it had been committed."""
        self.count += 1
        run = RunContext(f"run-{self.count}", "full", datetime.now(UTC))
        kind = LandingFolder.open(self.home.landing / landing).manifest.kind
        plan = ObjectPlan(name="thing__c", kind=kind, landing=landing)
        result = load_object(con, self.home, self.settings, plan, run)
        con.execute("UPDATE _state.load_result SET landing = landing || run_id").fetchall()
        return result

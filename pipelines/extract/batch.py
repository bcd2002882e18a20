"""One landed job on its way into its table: the incoming table, filled from the pages and proven.

What happens to the stored table afterwards is ``pipelines.extract.merge``.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from string import Template

from duckdb import DuckDBPyConnection

from data_contracts.contracts import Column, literal, load_contract, quoted
from pipelines.extract.cells import fault, reasons, typed
from pipelines.extract.columns import fit_columns
from pipelines.extract.fields import cursor_field
from pipelines.extract.pages import check_headers, prove, read_csv
from pipelines.extract.table import TableShape, shape_of
from pipelines.run import RunContext
from pipelines.tables import ensure_table, scalar, table_columns
from resources.landing import LandingFolder, Manifest

INCOMING = "__incoming"
_BAD = Column("__bad", "BOOLEAN", "")


@dataclass(frozen=True)
class Batch:
    """What every step of one load shares. ``stored_columns`` are those of the table before the load.

    ``later_runs`` loaded the object from what the org was asked for after this batch.
    """

    con: DuckDBPyConnection
    folder: LandingFolder
    ids: LandingFolder | None
    run: RunContext
    shape: TableShape
    stored_columns: dict[str, str]
    stamp: str | None
    started: datetime
    later_runs: tuple[str, ...]

    @classmethod
    def open(
        cls, con: DuckDBPyConnection, folder: LandingFolder, ids: LandingFolder | None, run: RunContext
    ) -> "Batch":
        """Prepare a load: the stored table exists afterwards, empty where the object is new."""
        manifest = folder.manifest
        shape = shape_of(con, manifest.object, manifest.api_name, manifest.fields)
        if table_columns(con, f"salesforce.{manifest.object}"):
            fit_columns(con, shape, manifest.fields)
            shape = shape_of(con, manifest.object, manifest.api_name, manifest.fields)
            shape.comment(con)
        else:
            shape.create(con)
        stored = table_columns(con, f"salesforce.{manifest.object}")
        stamp = cursor_field(field.name for field in manifest.fields if field.name in stored)
        now = datetime.now(UTC).replace(tzinfo=None)
        return cls(con, folder, ids, run, shape, stored, stamp, now, _later_runs(con, folder, ids))

    @property
    def manifest(self) -> Manifest:
        """The manifest of the records."""
        return self.folder.manifest

    @property
    def incoming(self) -> str:
        """The table the pages are read into."""
        return self.shape.relation(INCOMING)

    @property
    def stored(self) -> str:
        """The object's table."""
        return self.shape.relation()

    def selects(self, name: str) -> bool:
        """Whether the batch holds field ``name``."""
        return any(field.name == name for field in self.manifest.fields)

    def before_batch(self, alias: str = "o") -> str:
        """A condition: the stored row is no newer than the batch, so its absence from it means something.

        Records and Ids may have been asked for at different times, where a killed run left one of them.
        """
        known = f"NOT {self.since_batch(alias)}"
        if not self.stamp:
            return known
        until = min(part.manifest.until for part in (self.folder, self.ids) if part)
        return f"{known} AND coalesce({alias}.{quoted(self.stamp)} < {timestamp(until)}, true)"

    def since_batch(self, alias: str = "o") -> str:
        """A condition: the stored row was written from a batch that the org was asked for after this one."""
        return f"{alias}._run_id IN ({', '.join(map(literal, self.later_runs))})" if self.later_runs else "false"

    def outdated(self) -> str:
        """A condition on ``n`` of the batch and ``o`` stored: the stored version stays."""
        newer = f"coalesce(o.{quoted(self.stamp)} > n.{quoted(self.stamp)}, false)" if self.stamp else "false"
        return f"({newer} OR {self.since_batch()})"

    def execute(self, template: Template, **values: str) -> None:
        """Run a statement of a ``.sql`` file with the names every one of them uses."""
        sql = template.substitute(
            incoming=self.incoming,
            stored=self.stored,
            run=literal(self.run.run_id),
            object=literal(self.manifest.object),
            now=timestamp(self.started),
            **values,
        )
        self.con.execute(sql).fetchall()


def _later_runs(con: DuckDBPyConnection, folder: LandingFolder, ids: LandingFolder | None) -> tuple[str, ...]:
    asked = min(part.manifest.created_at for part in (folder, ids) if part).astimezone(UTC).replace(tzinfo=None)
    rows = con.execute(
        "SELECT DISTINCT run_id FROM _state.load_result WHERE object = ? AND started_at > ? ORDER BY ALL",
        [folder.manifest.object, asked],
    ).fetchall()
    return tuple(str(run_id) for (run_id,) in rows)


def timestamp(moment: datetime) -> str:
    """Return a TIMESTAMP literal in UTC."""
    utc = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return f"{literal(utc.isoformat(sep=' '))}::TIMESTAMP"


def read_pages(batch: Batch) -> tuple[int, int]:
    """Fill the incoming table; return its rows and the cells rejected.

    Raises ExtractionError when rows are missing or repeated, or a page has other columns than were asked for.
    """
    con = batch.con
    files = check_headers(batch.folder)
    batch.shape.create(con, INCOMING, (_BAD,))
    rejected = 0
    if files:
        source = read_csv(files, batch.manifest.fields)
        con.execute(_insert(batch, source)).fetchall()
        rejected = _reject(batch, source)
    con.execute(f"ALTER TABLE {batch.incoming} DROP COLUMN {quoted(_BAD.name)}").fetchall()
    return prove(con, batch.incoming, batch.manifest), rejected


def _insert(batch: Batch, source: str) -> str:
    fields = batch.manifest.fields
    # Retired columns need the stored row beside the new one; without any there is no join to pay for.
    join = f' LEFT JOIN {batch.stored} AS o ON o."Id" = page."Id"' if batch.shape.retired else ""
    values = [f"{typed(field)} AS {quoted(field.name)}" for field in fields]
    values += [f"o.{quoted(name)} AS {quoted(name)}" for name in batch.shape.retired]
    faults = [text for field in fields if (text := fault(field))]
    deleted = 'coalesce(TRY_CAST(page."IsDeleted" AS BOOLEAN), false)' if batch.selects("IsDeleted") else "false"
    return (
        f"INSERT INTO {batch.incoming} BY NAME SELECT {', '.join(values)}, {deleted} AS _is_deleted, "
        f"{timestamp(batch.started)} AS _synced_at, {literal(batch.run.run_id)} AS _run_id, "
        f"{' OR '.join(faults) or 'false'} AS {quoted(_BAD.name)} FROM {source} AS page{join}"
    )


def _reject(batch: Batch, source: str) -> int:
    """Write what did not convert to ``ops.reject``: a second pass over the pages, only when there is any."""
    con = batch.con
    if not scalar(con, f"SELECT count(*) FROM {batch.incoming} WHERE {quoted(_BAD.name)}"):
        return 0
    ensure_table(con, load_contract("ops.reject"))
    cells = [
        f"{{'field': {literal(field.name)}, 'reason': {text}}}"
        for field in batch.manifest.fields
        if (text := reasons(field))
    ]
    found = f'SELECT page."Id" AS salesforce_id, unnest([{", ".join(cells)}]) AS cell FROM {source} AS page'
    inserted = con.execute(
        f"INSERT INTO ops.reject BY NAME SELECT {literal(batch.run.run_id)} AS run_id, "
        f"{literal(batch.manifest.object)} AS object_name, salesforce_id, cell.field AS field_name, "
        f"cell.reason AS reason, {timestamp(batch.started)} AS rejected_at FROM ({found}) WHERE cell.reason IS NOT NULL"
    ).fetchall()
    return int(inserted[0][0])

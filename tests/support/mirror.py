"""A mirror of a demo org for tests of extraction: one home, syncs as a run does them, questions to the warehouse."""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from apps.demo_org.launch import DemoOrg
from data_contracts.settings import Settings
from pipelines.extract import LoadResult, download_object, load_object, refresh_schema, submit_jobs
from pipelines.extract.plan import ExtractionPlan, Kind
from pipelines.run import RunContext
from resources.home import Home
from resources.salesforce import RetryPolicy, SalesforceOrg
from resources.warehouse import SCHEMAS, Warehouse

#: Retries as in production, without the waiting.
QUICK = RetryPolicy(attempts=4, base=0.01, cap=0.05)


def settings_for(*objects: str, **more: Any) -> Settings:
    """Settings in which only ``objects`` are enabled; ``more`` are top-level keys, objects merged."""
    chosen: dict[str, Any] = {name: {"enabled": False} for name in Settings().objects}
    chosen |= {name: {} for name in objects} | more.pop("objects", {})
    return Settings.model_validate({"objects": chosen, **more})


class KeptOpen:
    """A warehouse that stays open between steps: opening and closing the file takes longer than most of them.

    Each step has a connection of its own all the same, with temporary tables of its own.
    """

    def __init__(self, path: Path) -> None:
        self._file, self._open = Warehouse(path, "1GB"), None  # type: Warehouse, duckdb.DuckDBPyConnection | None

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a connection as ``Warehouse.connect`` does."""
        if self._open is None:
            self._open = self._file._open()
            for schema in SCHEMAS:
                self._open.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"').fetchall()
        with self._open.cursor() as connection:
            connection.execute("SET TimeZone = 'UTC'").fetchall()
            yield connection

    def close(self) -> None:
        """Close the file; the next step opens it again."""
        if self._open is not None:
            self._open.close()
            self._open = None


class Mirror:
    """One CROSSWALK_HOME and the org it mirrors."""

    def __init__(
        self, demo: DemoOrg, root: Path, settings: Settings, environment: Mapping[str, str] | None = None
    ) -> None:
        self.home, self.settings = Home(root), settings
        self.home.prepare()
        self.org = SalesforceOrg.connect(
            settings.connection, environment or demo.environment(), store=None, policy=QUICK
        )
        self.warehouse = KeptOpen(self.home.warehouse)
        self.progress: list[str] = []
        self.again: dict[str, tuple[str, ...]] = {}
        self._numbers = itertools.count(1)

    def submit(self, kind: Kind, *only: str) -> tuple[RunContext, ExtractionPlan]:
        """Describe and submit."""
        run = RunContext(f"run-{next(self._numbers)}", kind, datetime.now(UTC))
        with self.warehouse.connect() as con:
            names = [name for name, item in self.settings.objects.items() if item.enabled]
            refresh_schema(con, self.org, names, run)
            plan = submit_jobs(
                *(con, self.org, self.home, self.settings, run),
                only=only or None,
                again=self.again,
                progress=self.progress.append,
            )
        return run, plan

    def finish(self, run: RunContext, plan: ExtractionPlan, name: str) -> LoadResult:
        """Download and load one object."""
        chosen = plan.require(name)
        download_object(self.org, self.home, chosen, self.progress.append)
        with self.warehouse.connect() as con:
            return load_object(con, self.home, self.settings, chosen, run, self.progress.append)

    def sync(self, kind: Kind, *only: str) -> dict[str, LoadResult]:
        """One whole extraction."""
        run, plan = self.submit(kind, *only)
        return {name: self.finish(run, plan, name) for name in plan.objects}

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Ask the warehouse."""
        with self.warehouse.connect() as con:
            return con.execute(sql, list(parameters)).fetchall()

    def one(self, sql: str, *parameters: object) -> Any:
        """The one value a query gives."""
        return self.rows(sql, *parameters)[0][0]

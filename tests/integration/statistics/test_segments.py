"""Link rates by segment against figures counted by hand, and the plots made of them."""

import base64
import re
from pathlib import Path

import dagster as dg
import pytest

from assets.plots_matching import m_and_u, precision_and_recall, segment_rates
from data_contracts.contracts import load_contract
from pipelines.publish import segments
from pipelines.publish.invariants import check_invariants
from pipelines.resolve.agreement import wilson
from pipelines.resolve.comparisons import COMPARISONS
from pipelines.resolve.model import Model
from pipelines.resolve.scoring import starting_parameters
from tests.support.resolution import connect, put, run_context

#: Id, country, record type, owner, status.
RECORDS = (
    ("1", "US", "t1", "ann", "linked"),
    ("2", "US", "t1", "bob", "unmatched"),
    ("3", "US", None, "bob", "in_review"),
    ("4", None, "t2", "bob", "linked"),
    ("5", "DE", "t2", "bob", "skipped"),
)


def test_rates_are_of_the_records_that_could_be_matched(monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_context("r1")
    with connect() as con:
        put(con, "crosswalk.account", [{"salesforce_id": row[0], "status": row[4]} for row in RECORDS])
        put(con, "standard.account", [{"salesforce_id": row[0], "country_code": row[1]} for row in RECORDS])
        put(con, "salesforce.account", [{"Id": r[0], "RecordTypeId": r[2], "OwnerId": r[3]} for r in RECORDS])
        put(con, "crosswalk.lead", [{"salesforce_id": "9", "status": "linked"}])
        put(con, "salesforce.lead", [{"Id": "9", "OwnerId": "ann"}])
        for _ in range(2):
            segments.write_segments(con, run)
        found = con.sql("SELECT object, segment, value, records, linked FROM ops.link_segment ORDER BY ALL").fetchall()
        assert found == [
            ("account", "country", "US", 3, 1),
            ("account", "country", "none", 1, 1),
            ("account", "owner", "ann", 1, 1),
            ("account", "owner", "bob", 3, 1),
            ("account", "record_type", "none", 1, 0),
            ("account", "record_type", "t1", 2, 1),
            ("account", "record_type", "t2", 1, 1),
            ("lead", "owner", "ann", 1, 1),
        ]
        assert check_invariants(con, load_contract("ops.link_segment")).blocking_failures == ()
        monkeypatch.setattr(segments, "MOST_VALUES", 1)
        segments.write_segments(con, run_context("r2", day=2))
        rest = con.sql("SELECT value, records, linked FROM ops.link_segment WHERE run_id = 'r2' AND segment = 'owner' "
                       "AND object = 'account' ORDER BY ALL")  # fmt: skip
        assert rest.fetchall() == [("bob", 3, 1), ("other", 1, 1)]
        rates = segments.segment_rates(con, "owner")
    # Only values of an object's latest run, oldest first.
    assert [(row[0][:10], *row[1:4]) for row in rates] == [
        ("2026-03-01", "account", "bob", 3),
        ("2026-03-01", "lead", "ann", 1),
        ("2026-03-02", "account", "bob", 3),
        ("2026-03-02", "account", "other", 1),
        ("2026-03-02", "lead", "ann", 1),
    ]
    drawn = svg_of(segment_rates(rates, "owner"))
    assert ">other<" in drawn
    assert ">account<" in drawn


def test_the_plots_show_every_level_and_interval_and_stay_small() -> None:
    comparisons = COMPARISONS["person"]
    model = Model("contact", "person", starting_parameters(comparisons), 0.1, "", "", {}, "r1", "")
    drawn = svg_of(m_and_u(model))
    for comparison in comparisons:
        assert f">{comparison.name.replace('_', ' ')}: nothing alike<" in drawn
        assert f">{comparison.name.replace('_', ' ')}: {comparison.levels[0].label}" in drawn
    figure = wilson(71, 73)
    assert figure is not None
    drawn = svg_of(precision_and_recall([("precision", figure)], 73))
    assert ">precision (71 of 73)<" in drawn
    assert "[0.905, 0.992]" in drawn


def svg_of(value: dg.MarkdownMetadataValue) -> str:
    found = re.search(r"base64,([^)]*)\)", value.md_str or "")
    assert found is not None
    svg = base64.b64decode(found.group(1)).decode()
    assert len(svg) < 100_000
    return svg


def test_no_table_no_segment(tmp_path: Path) -> None:
    with connect(tmp_path / "empty.duckdb") as con:
        assert segments.segment_rates(con, "owner") == []
        assert segments.write_segments(con, run_context()) == 0

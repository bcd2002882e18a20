"""Scoring a published crosswalk against a known truth. Truth measures; it never reaches the pipelines."""

from dataclasses import dataclass
from pathlib import Path

import duckdb


@dataclass(frozen=True)
class Score:
    """Links that were made, links there are, and how far they agree. Only ``linked`` counts as an answer."""

    object: str
    linked: int
    true_links: int
    correct: int

    @property
    def precision(self) -> float:
        """Share of the links made that are true; 1 when none was made."""
        return self.correct / self.linked if self.linked else 1.0

    @property
    def recall(self) -> float:
        """Share of the true links that were made; 1 when there is none."""
        return self.correct / self.true_links if self.true_links else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.correct / (self.linked + self.true_links) if self.linked + self.true_links else 1.0


def score(published: Path, truth: Path, name: str) -> Score:
    """Score ``crosswalk.<name>`` of a snapshot against ``truth`` (CSV: salesforce_id, reference_id).

    Deleted records and converted leads are no question and are left out on both sides.
    """
    with duckdb.connect(str(published), read_only=True) as con:
        columns = {row[0] for row in con.sql(f"DESCRIBE salesforce.{name}").fetchall()}
        converted = 'AND NOT coalesce("IsConverted", false)' if "IsConverted" in columns else ""
        row = con.execute(
            f"""
            WITH truth AS (
                SELECT DISTINCT salesforce_id, reference_id FROM read_csv(?, all_varchar = true, header = true)
            ), live AS (SELECT "Id" AS salesforce_id FROM salesforce.{name} WHERE NOT _is_deleted {converted}),
            made AS (
                SELECT salesforce_id, reference_id FROM crosswalk.{name} SEMI JOIN live USING (salesforce_id)
                WHERE status = 'linked'
            ), wanted AS (SELECT * FROM truth SEMI JOIN live USING (salesforce_id))
            SELECT (SELECT count(*) FROM made), (SELECT count(DISTINCT salesforce_id) FROM wanted),
                   (SELECT count(*) FROM made SEMI JOIN wanted USING (salesforce_id, reference_id))
            """,
            [str(truth)],
        ).fetchall()[0]
    return Score(name, *(int(value) for value in row))

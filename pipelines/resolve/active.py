"""Which pairs a person should be asked about: those that teach most, or matter most by themselves.

A decision is worth most where the model does not know (its entropy), and where many other open pairs agree in the
same way, so that what is said of one helps with all; it is worth less where people have accepted such pairs
already. Reading the queue, and weighing it by an account's worth, is for whoever shows it.
"""

from dataclasses import dataclass

import duckdb

from data_contracts.contracts import load_contract
from pipelines.resolve.model import Model
from pipelines.resolve.scripts import run_script
from pipelines.resolve.sides import Object
from pipelines.tables import table_columns


@dataclass(frozen=True)
class Question:
    """A pair to ask a person about, with the model's probability that the two are one."""

    salesforce_id: str
    reference_id: str
    match_probability: float
    teaching_value: float


def weigh_questions(con: duckdb.DuckDBPyConnection, model: Model | None) -> None:
    """Create ``_teaching`` (l, r, teaching_value) for the pairs of ``_considered`` that are worth a question."""
    names = [comparison.name for comparison in model.comparisons] if model is not None else []
    pattern = ", ".join(f"round(c.weight_{name}, 3)" for name in names) or "1"
    run_script(con, "teaching.sql", replace={"pattern": pattern})


def questions(con: duckdb.DuckDBPyConnection, name: Object, most: int) -> list[Question]:
    """Return the pairs of object ``name`` to ask next, best first, at most one per record.

    Reads ``match.<name>_candidate`` and ``match.decision`` as the last run left them; pairs somebody has spoken about
    since that run was resolved are still among them. Returns nothing where nothing was resolved yet.
    """
    table = load_contract(f"match.{name}_candidate").relation
    if "teaching_value" not in table_columns(con, f"match.{name}_candidate"):
        return []
    rows = con.execute(
        f"SELECT salesforce_id, reference_id, match_probability, teaching_value FROM {table} "
        "WHERE teaching_value > 0 QUALIFY row_number() OVER ("
        "PARTITION BY salesforce_id ORDER BY teaching_value DESC, reference_id) = 1 "
        "ORDER BY teaching_value DESC, salesforce_id LIMIT $most",
        {"most": most},
    ).fetchall()
    return [Question(*row) for row in rows]

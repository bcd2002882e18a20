"""Running the SQL files of this folder. What they do is said in each file."""

import re
from pathlib import Path

import duckdb

_SQL = Path(__file__).parent


def run_script(
    con: duckdb.DuckDBPyConnection,
    name: str,
    *,
    side: str = "",
    replace: dict[str, str] | None = None,
    **parameters: object,
) -> None:
    """Run the statements of a SQL file of this folder; each is given the parameters it mentions."""
    text = re.sub(r"--.*", "", (_SQL / name).read_text(encoding="utf-8"))
    for placeholder, value in ({"side": side} | (replace or {})).items():
        text = text.replace("{" + placeholder + "}", value)
    for statement in re.split(r";\s*\n", text):
        if statement.strip():
            used = {key: value for key, value in parameters.items() if re.search(rf"\${key}\b", statement)}
            con.execute(statement, used)

"""Running the SQL files of this folder. What they do is said in each file."""

import hashlib
import re
from functools import cache
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


@cache
def code_version() -> str:
    """Return a hash of this folder's code: what an earlier version kept may mean something else."""
    digest = hashlib.sha256()
    for path in sorted(file for file in _SQL.iterdir() if file.suffix in (".py", ".sql")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()

"""A process that reads the snapshot over and over: argument file; ends at end of input, then tells what it saw."""

import json
import select
import sys

import duckdb


def main() -> None:
    """Count reads, errors, torn reads (tables of different runs) and the runs seen."""
    path = sys.argv[1]
    seen = {"reads": 0, "errors": [], "torn": 0, "runs": []}
    while not select.select([sys.stdin], [], [], 0.1)[0]:
        try:
            with duckdb.connect(path, read_only=True) as con:
                runs = {con.sql("SELECT run_id FROM _meta").fetchall()[0][0]}
                for table in ("salesforce.account", "salesforce.contact"):
                    runs |= {row[0] for row in con.sql(f"SELECT DISTINCT _run_id FROM {table}").fetchall()}
                    rows = con.sql(f"SELECT count(*) FROM {table}").fetchall()[0][0]
                    seen["torn"] += rows != 2_000
        except duckdb.Error as error:
            seen["errors"].append(str(error)[:200])
            continue
        seen["reads"] += 1
        seen["torn"] += len(runs) != 1
        seen["runs"] = sorted({*seen["runs"], *runs})
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main()

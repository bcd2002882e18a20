"""An analyst's process: keeps one connection open, opens others, and questions the snapshot until its input closes.

``python -m tests.support.analyst FILE`` prints one line when it has begun, and at its end one line of JSON.
"""

import json
import select
import sys

import duckdb

QUERY = """
SELECT m.run_id,
  (SELECT count(*) FROM crosswalk.account) AS accounts,
  (SELECT count(*) FROM crosswalk.lead) AS leads,
  (SELECT count(DISTINCT s.run_id) FROM ops.sync_run AS s WHERE s.run_id = m.run_id AND s.status = 'succeeded') AS runs,
  (SELECT coalesce(sum(s.records), 0) FROM ops.run_statistics AS s
    WHERE s.run_id = m.run_id AND s.object = 'lead') AS told,
  (SELECT count(*) FROM imports.account) - (SELECT count(*) FROM standard.account) AS apart
FROM main._meta AS m
"""


def ask(con: duckdb.DuckDBPyConnection) -> list[object]:
    (row,) = con.sql(QUERY).fetchall()
    return list(row)


def main(path: str) -> None:
    seen: list[list[object]] = []
    queries = 0
    with duckdb.connect(path, read_only=True) as held:
        first = ask(held)
        sys.stdout.write("open\n")
        sys.stdout.flush()
        while not select.select([sys.stdin], [], [], 0.5)[0]:
            with duckdb.connect(":memory:") as other:
                other.execute(f"ATTACH '{path}' AS now (READ_ONLY)")
                other.execute("USE now")
                answer = ask(other)
            queries += 1
            if not seen or seen[-1] != answer:
                seen.append(answer)
            if ask(held) != first:
                seen.append(["the open connection changed"])
    sys.stdout.write(json.dumps({"queries": queries, "first": first, "seen": seen}, default=int) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])

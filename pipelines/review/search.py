"""Search of the reference for another entity than the candidates."""

import duckdb

from pipelines.review.rows import Found, Kind


def search(con: duckdb.DuckDBPyConnection, kind: Kind, text: str, *, limit: int = 20, seconds: float = 2.0) -> Found:
    """Return reference entities whose id, name, domain, e-mail or phone ``text`` names, best first.

    At most ``limit`` hits, and no longer than ``seconds``.
    """
    raise NotImplementedError

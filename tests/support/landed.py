"""A landed job made by hand: one page of CSV with its manifest."""

import gzip
import hashlib
from datetime import UTC, datetime
from pathlib import Path

from resources.landing import LandedField, LandedPage, LandingFolder, Manifest


def land(root: Path, object_name: str, body: str, *, packed: bool = False, **more: object) -> LandingFolder:
    """Land ``body`` (CSV with a header) as the whole answer to a job for ``object_name``."""
    lines = body.splitlines()
    now = datetime(2026, 3, 1, 1, tzinfo=UTC)
    values: dict[str, object] = {
        "org_id": "00D", "object": object_name, "api_name": object_name.title(), "purpose": "records", "kind": "full",
        "transport": "rest", "soql": "SELECT Id FROM X", "api_version": "62.0", "match_key": "k", "restricted": False,
        "fields": [LandedField(name=name, type="VARCHAR") for name in lines[0].split(",")],
        "since": None, "until": now, "eligible": len(lines) - 1, "created_at": now, "selection_key": "s",
        "records": len(lines) - 1,
    }  # fmt: skip
    folder = LandingFolder.create(root, Manifest.model_validate(values | more))
    data = gzip.compress(body.encode()) if packed else body.encode()
    name = "page-first.csv.gz" if packed else "page-first.csv"
    (folder.path / name).write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    page = LandedPage(file=name, locator="", next_locator="", rows=len(lines) - 1, bytes=len(data), sha256=digest)
    folder.add_page(page)
    return folder

"""``crosswalk disconnect``: revoke the token, archive what came from the org, take the pin off.

A killed disconnect is gone on with by the next one: the record says ``disconnecting`` and names the archive, and
until it says ``disconnected`` nothing connects. People's decisions stay: they are work done here, not data of the org.
"""

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from data_contracts.errors import CrosswalkError, WarehouseError
from data_contracts.settings import Settings
from pipelines.connect import pinned_org
from resources.files import PRIVATE, sync_folder, write_atomically
from resources.home import Home
from resources.salesforce import ConnectionRecord, Credentials, RetryPolicy, TokenStore
from resources.salesforce.session import OrgSession
from resources.salesforce.token_store import now_text

#: Says in the archive what it is.
_MANIFEST = "archive.json"


class NotRevokedError(CrosswalkError):
    """Salesforce could not be told; nothing was changed here."""


@dataclass(frozen=True)
class Disconnected:
    """What a disconnect did; ``revoked`` says what became of the token, in words."""

    org_id: str
    revoked: str
    archive: str
    moved: tuple[str, ...]


def disconnect(
    home: Home,
    settings: Settings,
    environ: Mapping[str, str],
    *,
    force: bool = False,
    policy: RetryPolicy | None = None,
) -> Disconnected:
    """Revoke, archive, unpin, in an order in which a kill leaves either state recoverable.

    Raises NotRevokedError, before anything is changed, when Salesforce cannot be told and not ``force``;
    HomeBusyError while a run is on; WarehouseError when there is nothing to disconnect.
    """
    store = TokenStore(home.root)
    with home.lock("crosswalk disconnect"):
        record = store.record()
        resumed = record is not None and record.state == "disconnecting"
        pinned = "" if resumed else pinned_org(home, settings)
        _require_something(store, record, pinned)
        org_id = pinned or (record.org_id if record else "")
        if record is None or not resumed:
            told = _revoke(settings, environ, store, policy, force=force)
            record = replace(record or ConnectionRecord("connected"), state="disconnecting", at=now_text())
            record = replace(record, org_id=org_id, archive=_archive_name(org_id), told=told)
            store.save_record(record)
        store.remove_token()
        moved = archive(home, home.root / "archive" / record.archive, org_id)
        store.save_record(replace(record, state="disconnected", at=now_text()))
        return Disconnected(org_id, record.told, str(home.root / "archive" / record.archive) if moved else "", moved)


def archive(home: Home, target: Path, org_id: str) -> tuple[str, ...]:
    """Move what came from the org to ``target``, by renames, the published snapshot first; return what is there.

    It may be called again after a kill: what was moved stays moved. The folders of the home are made anew.
    """
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    target.parent.chmod(0o700)
    _copy_decisions(home, target)
    for source in list(_from_the_org(home)):
        goal = _free(target / source.relative_to(home.root))
        goal.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        source.rename(goal)
        sync_folder(goal.parent)
        sync_folder(source.parent)
    home.prepare()
    files = (path for path in target.rglob("*") if path.is_file() and _MANIFEST not in path.name)
    moved = tuple(sorted(str(path.relative_to(target)) for path in files))
    content = {"org_id": org_id, "archived_at": now_text(), "files": moved}
    write_atomically(target / _MANIFEST, json.dumps(content, indent=1), PRIVATE)
    return moved


def _from_the_org(home: Home) -> Iterator[Path]:
    """What is moved, in order; the warehouse with its pin last."""
    yield from sorted(home.published.parent.iterdir())
    for folder in (home.landing, home.models):
        if folder.is_dir() and any(folder.iterdir()):
            yield folder
    yield from (file for file in (home.completed, home.standing) if file.is_file())
    yield from sorted(home.root.glob(f"{home.warehouse.name}*"), reverse=True)


def _copy_decisions(home: Home, target: Path) -> None:
    """Put a copy of the decisions beside the data they are about; a store elsewhere is backed up there."""
    source, copy = home.root / "decisions.db", target / "decisions.db"
    if not source.is_file() or copy.exists():
        return
    part = copy.with_suffix(".part")
    part.unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(part)) as kept:
        live.backup(kept)
    part.chmod(0o600)
    part.rename(copy)


def _revoke(
    settings: Settings,
    environ: Mapping[str, str],
    store: TokenStore,
    policy: RetryPolicy | None,
    *,
    force: bool,
) -> str:
    connection = settings.connection
    try:
        kept = store.token()
        credentials = Credentials.from_environment(
            environ, instance_url=connection.instance_url, login_url=connection.login_url, store=store
        )
        session = OrgSession(credentials, timeout=connection.timeout_seconds, policy=policy, store=store)
        valid = session.tokens.revoke(kept.refresh_token if kept else None)
    except CrosswalkError as error:
        if force:
            return f"NOT revoked ({error.what}); revoke it in Salesforce: Setup > Connected Apps OAuth Usage > the app"
        raise NotRevokedError(
            f"the token was not revoked: {error.what}",
            why=error.why or "Salesforce could not be told",
            next_step="mend that and run crosswalk disconnect again; or run crosswalk disconnect --force and revoke it "
            "in Salesforce yourself: Setup > Connected Apps OAuth Usage > the app > Revoke. Nothing was changed",
        ) from error
    return "revoked" if valid else "was not valid any more"


def _require_something(store: TokenStore, record: ConnectionRecord | None, pinned: str) -> None:
    if pinned or store.token() is not None or (record is not None and record.state != "disconnected"):
        return
    raise WarehouseError(
        "there is nothing to disconnect",
        why="nobody connected in this home, and it holds no data of an org"
        if record is None
        else f"this home was disconnected from org {record.org_id or 'unknown'} at {record.at}",
        next_step="run: crosswalk connect",
    )


def _archive_name(org_id: str) -> str:
    return f"{org_id or 'unknown-org'}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


def _free(path: Path) -> Path:
    """``path``, or a name beside it where a resumed disconnect finds the first one taken."""
    number, free = 1, path
    while os.path.lexists(free):
        number += 1
        free = path.with_name(f"{path.name}.{number}")
    return free

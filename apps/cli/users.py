"""``crosswalk users``: whom of the organisation the CRM's users are, and correcting it by hand."""

import getpass
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from typing import Any

import click

from apps.cli.output import print_json, print_table
from apps.snapshot import open_snapshot
from data_contracts.settings_file import load_settings
from pipelines.review.users import SHOWN, CrmUser, Shown, correct_user, crm_user, crm_users, search_own_users
from resources.decisions import DecisionStore
from resources.home import Home
from resources.user_mappings import Act, UserMapping

#: Most users a table shows; ``--json`` shows as many as ``--limit`` says.
MOST_ROWS = 200


@click.group(name="users")
def command() -> None:
    """Show and correct which of the organisation's own users a CRM user is."""


def _json(function: Callable[..., None]) -> Callable[..., None]:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(function)


def _by(function: Callable[..., None]) -> Callable[..., None]:
    told = "Who says so; your account's name unless given."
    function = click.option("--by", metavar="NAME", help=told)(function)
    return click.option("--reason", metavar="TEXT", help="Why, for those who read it later.")(function)


@command.command(name="list")
@click.option("--show", type=click.Choice(SHOWN), default="waiting", help="Default: those that wait for a person.")
@click.option("--search", default="", metavar="TEXT", help="Part of a name, e-mail address or id.")
@click.option("--limit", type=click.IntRange(1), default=MOST_ROWS, show_default=True, help="Most users to list.")
@_json
def list_(show: Shown, search: str, limit: int, as_json: bool) -> None:
    """List CRM users, those that need a person and own most first."""
    home = Home.from_environment()
    with open_snapshot(home) as con, closing(DecisionStore(home.decisions_url)) as store:
        found, total = crm_users(con, store, show, search, limit=limit)
    if as_json:
        print_json({"show": show, "total": total, "users": [asdict(user) for user in found]})
        return
    if not found:
        click.echo("No user waits for a person." if show == "waiting" and not search else "No user is like that.")
        return
    rows = [
        (user.salesforce_id, user.name, user.email, user.record_count, _stands(user), user.reason) for user in found
    ]
    print_table(f"{show}: {total:,} users", ("id", "name", "e-mail", "records", "is", "why"), rows)
    if total > len(found):
        click.echo(f"{total - len(found):,} more: --limit {total}")


def _stands(user: CrmUser) -> str:
    if user.pending:
        return f"{_said(user.pending)}, from the next run on"
    return user.mapped_user or user.status.replace("_", " ")


def _said(made: UserMapping) -> str:
    words = {"unmapped": "none of ours", "released": "to be found by itself"}
    return words.get(made.act) or str(made.own_id)


@command.command(name="show")
@click.argument("user", metavar="USER")
@_json
def show(user: str, as_json: bool) -> None:
    """Show USER (Id, e-mail address or name), whom it could be, and every version of its mapping."""
    home, settings = Home.from_environment(), load_settings()
    with open_snapshot(home) as con, closing(DecisionStore(home.decisions_url)) as store:
        found = crm_user(con, store, settings, user)
    if as_json:
        print_json(asdict(found))
        return
    one = found.user
    click.echo(f"{one.name or one.salesforce_id} ({one.kind}, {one.salesforce_id}): {_stands(one)}. {one.reason}.")
    click.echo(f"Owns {one.record_count:,} records.")
    for other in found.candidates:
        click.echo(f"Could be: {other.user_id}, {other.name or ''} {other.email or ''}".rstrip())
    for made in found.versions:
        why = f": {made.reason}" if made.reason else ""
        click.echo(
            f"Version {made.version}, {made.decided_at:%Y-%m-%d %H:%M} UTC, {made.decided_by}: {_said(made)}{why}"
        )


@command.command(name="find")
@click.argument("words", nargs=-1, required=True)
@_json
def find(words: tuple[str, ...], as_json: bool) -> None:
    """Find own users by parts of their id, name or e-mail address."""
    with open_snapshot(Home.from_environment()) as con:
        found = search_own_users(con, " ".join(words))
    if as_json:
        print_json([asdict(user) for user in found])
    elif found:
        rows = [(user.user_id, user.name, user.email, "yes" if user.is_active else "no") for user in found]
        print_table("Own users", ("id", "name", "e-mail", "active"), rows)
    else:
        click.echo("No own user is like that, as of the last run.")


@command.command(name="map")
@click.argument("user", metavar="USER")
@click.argument("own_id", metavar="OWN_ID")
@_by
@_json
def map_(user: str, own_id: str, **options: Any) -> None:
    """Say that USER (Id, e-mail address or name) is the organisation's own user OWN_ID."""
    _correct(user, "mapped", own_id, **options)


@command.command(name="unmap")
@click.argument("user", metavar="USER")
@_by
@_json
def unmap(user: str, **options: Any) -> None:
    """Say that USER is none of the organisation's own users; nobody is asked about it again."""
    _correct(user, "unmapped", None, **options)


@command.command(name="release")
@click.argument("user", metavar="USER")
@_by
@_json
def release(user: str, **options: Any) -> None:
    """Take back what was said or kept of USER: the next run finds it by e-mail and name again."""
    _correct(user, "released", None, **options)


def _correct(user: str, act: Act, own_id: str | None, by: str | None, reason: str | None, as_json: bool) -> None:
    home, settings = Home.from_environment(), load_settings()
    who = by or getpass.getuser()
    with open_snapshot(home) as con, closing(DecisionStore(home.decisions_url)) as store:
        made = correct_user(con, store, settings, who, user, act, own_id=own_id, reason=reason)
    if as_json:
        print_json(asdict(made))
    else:
        click.echo(f"{made.salesforce_id}: {_said(made)}, version {made.version}, from the next run on: crosswalk sync")

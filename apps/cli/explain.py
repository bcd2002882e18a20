"""``crosswalk explain``: why a record is linked, or not, and what else was considered."""

from dataclasses import asdict

import click

from apps.cli.output import print_json, print_table
from apps.snapshot import open_snapshot
from pipelines.resolve import Explanation, explain
from pipelines.resolve.explain import CandidateView
from pipelines.run import OBJECTS
from resources.home import Home

#: Standard values that say nothing to a reader beside their parts.
_HIDDEN = {"salesforce_id", "company_id", "person_id", "name_key", "stored_reference_id"}


@click.command(name="explain")
@click.argument("object_name", metavar="OBJECT", type=click.Choice(OBJECTS, case_sensitive=False))
@click.argument("salesforce_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")
def command(object_name: str, salesforce_id: str, as_json: bool) -> None:
    """Say why record ID of OBJECT (account, contact or lead) is linked as it is."""
    with open_snapshot(Home.from_environment()) as con:
        found = explain(con, object_name, salesforce_id)  # type: ignore[arg-type]
    if as_json:
        print_json(asdict(found))
        return
    _print(found)


def _print(found: Explanation) -> None:
    link = found.link
    click.echo(f"{found.object} {found.salesforce_id}: {link['status']}. {link['reason']}.")
    if link["reference_id"]:
        click.echo(f"Entity {link['reference_id']}, by {link['method']}{_code(link['rule_code'])}.")
    if link.get("company_reason"):
        click.echo(f"Company {link['company_reference_id'] or '–'}: {link['company_reason']}.")
    if link.get("successor_reference_id"):
        click.echo(f"What it became part of is linked to entity {link['successor_reference_id']}.")
    for part in found.parts:
        click.echo(f"Part of it: {part['object']} {part['salesforce_id']}, {part['reason']}.")
    _print_values(found)
    for candidate in found.candidates:
        _print_candidate(candidate)
    if found.margin is not None:
        click.echo(f"The best leads {found.runner_up} by {found.margin:.1f} bits.")
    for decision in found.decisions:
        click.echo(f"Decision: {decision['judgement']} {decision['reference_id']} by {decision['decided_by']}.")
    for event in found.events:
        related = f" ({', '.join(event['related_ids'])})" if event.get("related_ids") else ""
        click.echo(f"{event['detected_at']}: {event['event']}{related} in Salesforce.")
    for change in found.changes:
        click.echo(f"Changed {change['changed_at']}: link {change['change']}, cause {change['cause']}.")


def _print_values(found: Explanation) -> None:
    """Print the record's standard values beside those of the three best candidates."""
    best = found.candidates[:3]
    sides = [found.values, *(candidate.values for candidate in best)]
    names = [name for name in found.values if name not in _HIDDEN and any(side.get(name) for side in sides)]
    rows = [(name, *(_text(side.get(name)) for side in sides)) for name in names]
    print_table("What matching saw", ("value", "record", *(candidate.reference_id for candidate in best)), rows)


def _print_candidate(candidate: CandidateView) -> None:
    bits = "; ".join(f"{name} {weight:+.1f}" for name, weight in candidate.weights.items()) or "not scored"
    share = "–" if candidate.match_probability is None else f"{candidate.match_probability:.3f}"
    click.echo(
        f"{candidate.rank}. {candidate.reference_id}{_code(candidate.rule_code)}: probability {share}; bits: {bits}; "
        f"keys: {', '.join(candidate.block_keys) or 'rung only'}{'; but ' + candidate.veto if candidate.veto else ''}"
    )


def _code(code: str | None) -> str:
    return f" {code}" if code else ""


def _text(value: object) -> str:
    return ", ".join(str(item) for item in value) if isinstance(value, list) else "" if value is None else str(value)

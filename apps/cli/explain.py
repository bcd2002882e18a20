"""``crosswalk explain``: why a record is linked, or not, and what else was considered."""

from dataclasses import asdict

import click

from apps.cli.output import print_json, print_table
from apps.snapshot import open_snapshot
from pipelines.resolve import Explanation, explain
from pipelines.resolve.explain import CandidateView
from pipelines.resolve.hopeless import FLOOR
from pipelines.resolve.waterfall import waterfall_lines
from pipelines.run import OBJECTS
from resources.home import Home

#: Candidates whose waterfall is drawn; of the others the bits are told in a line.
DRAWN = 3
#: Standard values that say nothing to a reader beside their parts.
_HIDDEN = {"salesforce_id", "company_id", "person_id", "name_key"}


@click.command(name="explain")
@click.argument("object_name", metavar="OBJECT", type=click.Choice(OBJECTS, case_sensitive=False))
@click.argument("salesforce_id", metavar="ID")
@click.option("--all", "every", is_flag=True, help="Draw the waterfall of every candidate, not of the best three only.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")
def command(object_name: str, salesforce_id: str, every: bool, as_json: bool) -> None:
    """Say why record ID of OBJECT (account, contact or lead) is linked as it is."""
    with open_snapshot(Home.from_environment()) as con:
        found = explain(con, object_name, salesforce_id)  # type: ignore[arg-type]
    if as_json:
        print_json(asdict(found))
        return
    _print(found, drawn=len(found.candidates) if every else DRAWN)


def _print(found: Explanation, drawn: int = DRAWN) -> None:
    link, decider = found.link, found.decider
    click.echo(f"{found.object} {found.salesforce_id}: {link['status']}. {link['reason']}.")
    if link["reference_id"]:
        named = f" {decider.name}" if decider.name else ""
        click.echo(f"Entity {link['reference_id']}, by {decider.by}{named}: {decider.meaning}.")
    if link.get("company_reason"):
        click.echo(f"Company {link['company_reference_id'] or '–'}: {link['company_reason']}.")
    if found.person_contact:
        click.echo(f"The person: crosswalk explain contact {found.person_contact}")
    if link.get("successor_reference_id"):
        click.echo(f"What it became part of is linked to entity {link['successor_reference_id']}.")
    for part in found.parts:
        click.echo(f"Part of it: {part['object']} {part['salesforce_id']}, {part['reason']}.")
    _print_values(found)
    for candidate in found.candidates:
        _print_candidate(candidate, found.winner, drawn=candidate.rank <= drawn)
    if found.hopeless:
        click.echo(f"\n{found.hopeless} more share a key with it and weigh less than {FLOOR:g} bits: not listed.")
    if found.margin is not None:
        way = "leads" if found.margin >= 0 else "lies behind"
        lead = found.winner or found.candidates[0].reference_id
        click.echo(f"{lead} {way} {'the runner-up ' if found.margin >= 0 else ''}{found.runner_up} by "
                   f"{abs(found.margin):.1f} bits.")  # fmt: skip
    _print_history(found)


def _print_history(found: Explanation) -> None:
    """Print what people decided, what happened to the record, and what changed its link."""
    for decision in found.decisions:
        back = ", taken back since" if decision["withdrawn_at"] else ""
        why = f": {decision['reason']}" if decision["reason"] else ""
        when = f" on {decision['decided_at']:%Y-%m-%d}" if decision["decided_at"] else ""
        said = f"{decision['judgement']} {decision['reference_id']} by {decision['decided_by']}"
        click.echo(f"Decision: {said}{when}{back}{why}.")
    for event in found.events:
        related = f" ({', '.join(event['related_ids'])})" if event.get("related_ids") else ""
        click.echo(f"{event['detected_at']}: {event['event']}{related} in Salesforce.")
    if found.latest_change is None:
        click.echo("The last run left the link as it was.")
    for change in found.changes:
        sides = [change["old_reference_id"], change["new_reference_id"]]
        causes = [cause for cause in change.get("causes") or [] if cause != change["cause"]]
        also = f", beside it {', '.join(causes)}" if causes else ""
        way = " → ".join(side or "none" for side in sides)
        click.echo(f"Changed {change['changed_at']}: link {change['change']} ({way}), cause {change['cause']}{also}.")


def _print_values(found: Explanation) -> None:
    """Print the record's standard values beside those of the three best candidates."""
    best = found.candidates[:3]
    sides = [found.values, *(candidate.values for candidate in best)]
    names = [name for name in found.values if name not in _HIDDEN and any(side.get(name) for side in sides)]
    rows = [(name, *(_text(side.get(name)) for side in sides)) for name in names]
    print_table("What matching saw", ("value", "record", *(candidate.reference_id for candidate in best)), rows)


def _print_candidate(candidate: CandidateView, winner: str | None, *, drawn: bool) -> None:
    share = "not weighed" if candidate.match_probability is None else f"probability {candidate.match_probability:.3f}"
    said = f", {candidate.judgement} by a person" if candidate.judgement else ""
    chosen = "  ← this one" if candidate.reference_id == winner else ""
    click.echo(f"\n{candidate.rank}. {candidate.reference_id}{_code(candidate.rule_code)}: {share}{said}{chosen}")
    click.echo(f"   keys: {', '.join(candidate.keys or candidate.block_keys) or 'none, brought by a rung or a person'}")
    if candidate.veto:
        click.echo(f"   veto: {candidate.veto}")
    if drawn or candidate.reference_id == winner:
        for line in waterfall_lines(candidate.waterfall):
            click.echo(f"   {line}")
    elif candidate.waterfall:
        bits = (f"{bar.name.replace('_', ' ')} {bar.bits:+.1f}" for bar in candidate.waterfall)
        click.echo(f"   bits: {', '.join(bits)}")


def _code(code: str | None) -> str:
    return f" {code}" if code else ""


def _text(value: object) -> str:
    return ", ".join(str(item) for item in value) if isinstance(value, list) else "" if value is None else str(value)

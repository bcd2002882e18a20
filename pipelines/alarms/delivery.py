"""Telling people: alarms that were raised or are over, as one message to the webhook and one mail.

A message has codes, objects, fields and figures, no value of a record. What cannot be delivered is told where it was
tried, and never fails a run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from data_contracts.errors import DeliveryError
from data_contracts.settings import Alerts
from pipelines.alarms.alarm import EVERYTHING, Alarm
from pipelines.alarms.record import Changes
from resources.notify import post_json, send_mail

Tell = Callable[[str], None]


def deliver(alerts: Alerts, environ: Mapping[str, str], changes: Changes, warn: Tell) -> str:
    """Send ``changes`` wherever the settings say, and return who was told, for ``ops.alarm.delivery``.

    ``warn`` hears why something could not be delivered.
    """
    if not changes:
        return "nobody"
    told, failed = [], []
    for name, send in _channels(alerts, environ, changes):
        try:
            send()
            told.append(name)
        except DeliveryError as error:
            warn(str(error).replace("\n", "; "))
            failed.append(f"not delivered by {name}: {error.what}")
    return "; ".join([" and ".join(told) or ("" if failed else "nobody"), *failed]).strip("; ")


def document(changes: Changes) -> dict[str, Any]:
    """Return what the webhook gets; ``text`` is the whole of it in words, where chat tools look for it."""
    return {
        "source": "crosswalk",
        "at": changes.at.isoformat(timespec="seconds"),
        "text": in_words(changes),
        "raised": [_told(alarm) for alarm in changes.raised],
        "cleared": [_told(alarm) for alarm in changes.cleared],
    }


def in_words(changes: Changes) -> str:
    """Return what changed, a line each."""
    parts = ((f"Crosswalk: {_count(changes.raised)}", changes.raised), ("Over:", changes.cleared))
    return "\n".join("\n".join([head, *(f"- {line(alarm)}" for alarm in alarms)]) for head, alarms in parts if alarms)


def line(alarm: Alarm) -> str:
    """Return one alarm as a line of text."""
    about = "" if alarm.object == EVERYTHING else f" ({alarm.object})"
    return f"{alarm.code}{about}: {alarm.message}"


def _channels(alerts: Alerts, environ: Mapping[str, str], changes: Changes) -> Sequence[tuple[str, Callable[[], None]]]:
    found: list[tuple[str, Callable[[], None]]] = []
    if url := alerts.webhook_url:
        found.append(("webhook", lambda: post_json(url, environ, document(changes))))
    if email := alerts.email:
        subject = f"Crosswalk: {_count(changes.raised) if changes.raised else 'alarms are over'}"
        found.append(("email", lambda: send_mail(email, environ, subject, in_words(changes))))
    return found


def _count(alarms: Sequence[Alarm]) -> str:
    return f"{len(alarms)} alarm{'s' if len(alarms) != 1 else ''}"


def _told(alarm: Alarm) -> dict[str, Any]:
    return {("alarm" if key == "code" else key): value for key, value in asdict(alarm).items()}

"""Taking out what must not leave the machine: secrets, people's names and addresses, values of records, folders.

Three sieves over one another: what we know to be secret is left out where it stands, every known secret and name is
replaced wherever it turns up, and what looks like an e-mail address or a token is replaced in any case.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from data_contracts.settings import Settings

HIDDEN = "(removed)"
_EMAIL = re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+")
#: A session of Salesforce, a JWT, anything after Bearer, a private key, the user part of a URL.
_TOKENS = (
    re.compile(r"00D\w{12,15}![\w.]+"),
    re.compile(r"eyJ[\w-]{8,}\.[\w.-]+"),
    re.compile(r"(?i)\bbearer\s+[\w.!=+/-]{12,}"),
    re.compile(r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|$)", re.DOTALL),
)
_URL_USER = re.compile(r"(?<=://)[^/@\s]+@")
_QUOTED = re.compile(r"'(?:\\.|[^'\\])*'")
#: A value in SOQL that Salesforce quotes back in a message.
_COMPARED = re.compile(r"((?:[=<>(,]|\b(?:LIKE|IN|INCLUDES|EXCLUDES)\b)\s*)'(?:\\.|[^'\\])*'", re.IGNORECASE)
#: The shortest text that is replaced wherever it stands: a shorter one would be found inside other words.
SHORTEST = 5
#: Variables whose values are no secret and are told.
TOLD = frozenset({"SALESFORCE_AUTH", "SALESFORCE_INSTANCE_URL", "SALESFORCE_LOGIN_URL", "CROSSWALK_LOG_LEVEL"})


class Redactor:
    """Replaces what it knows and what it recognises."""

    def __init__(self, known: Iterable[str], folders: Mapping[str, str]) -> None:
        self._known = sorted({text for text in known if len(text) >= SHORTEST}, key=len, reverse=True)
        self._folders = sorted(folders.items(), key=lambda item: len(item[0]), reverse=True)

    def text(self, text: str) -> str:
        """Return ``text`` without secrets, e-mail addresses, and this machine's folders."""
        for value in self._known:
            text = text.replace(value, HIDDEN)
        for folder, name in self._folders:
            text = text.replace(folder, name)
        for pattern in _TOKENS:
            text = pattern.sub(HIDDEN, text)
        text = _COMPARED.sub(r"\1'…'", text)
        return _EMAIL.sub(HIDDEN, _URL_USER.sub(f"{HIDDEN}@", text))

    def tree(self, value: Any) -> Any:
        """Return a document with every text in it cleaned, before it is written as JSON and its quotes are escaped."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.tree(item) for key, item in value.items()}
        return [self.tree(item) for item in value] if isinstance(value, list | tuple) else value


def redactor(home: Path, environ: Mapping[str, str], known: Iterable[str]) -> Redactor:
    """Return the redactor of a home: it knows the secrets of the environment and of the home's files, and ``known``."""
    secrets = set(known)
    for name, value in environ.items():
        if not name.startswith(("SALESFORCE_", "CROSSWALK_", "DAGSTER_")) or name in TOLD or not value:
            continue
        if name.endswith(("_SECRET", "_TOKEN", "_PASSWORD", "_URL", "_USERNAME", "_ID", "_KEY")):
            secrets |= {value, _password(value)}
        if name.startswith("SALESFORCE_") and name.endswith("_FILE"):
            secrets.update(_lines(Path(value).expanduser()))
    for name in ("credentials.json", "masking.key"):
        secrets.update(_lines(home / name))
    folders = {str(home): "$CROSSWALK_HOME", str(Path.home()): "~"}
    return Redactor(secrets, {path: name for path, name in folders.items() if len(path) > 1})


def safe_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings without what may be a secret or a value of a record; keys and names of fields stay."""
    body = settings.model_dump(mode="json")
    for chosen in body["objects"].values():
        if condition := chosen["selection"]["condition"]:
            chosen["selection"]["condition"] = _QUOTED.sub("'…'", condition)
    for targets in body["imports"]["mapping"].values():
        for row in targets.values():
            if row and row["static"] is not None:
                row["static"] = HIDDEN
    for source in (*body["reference"].values(), body["users"]["source"]):
        if source:
            source |= {key: HIDDEN for key in ("path", "url") if source[key]}
    body["users"]["table"] = f"{len(settings.users.table)} users"
    body["users"]["by_hand"] = f"{len(settings.users.by_hand)} users"
    body["review"] |= {key: HIDDEN for key in ("public_url", "proxy") if body["review"][key]}
    body["review"]["accounts"] = [{"role": account["role"]} for account in body["review"]["accounts"]]
    if body["alerts"]["webhook_url"]:
        body["alerts"]["webhook_url"] = HIDDEN
    return body


def quoted_values(settings: Settings) -> set[str]:
    """Return the values that conditions of the settings compare with: they may be names of people."""
    conditions = [item.selection.condition or "" for item in settings.objects.values()]
    return {found[1:-1] for condition in conditions for found in _QUOTED.findall(condition)}


def _password(value: str) -> str:
    try:
        return urlsplit(value).password or ""
    except ValueError:
        return ""


def _lines(path: Path) -> set[str]:
    """Return the texts in a secret file, so that none of them can turn up elsewhere; nothing where it is not there."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return set()
    quoted = re.findall(r'"((?:\\.|[^"\\])*)"', text)
    return {text.strip(), *(line.strip() for line in text.splitlines()), *(q for q in quoted if len(q) > 24)}

"""What leaves the machine holds nothing known and nothing that looks like an address or a token, wherever it stands."""

import json
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from data_contracts.settings import Settings
from pipelines.preflight.redact import HIDDEN, SHORTEST, Redactor, quoted_values, redactor, safe_settings

WORDS = st.text(st.characters(codec="utf-8"), max_size=30)
SECRET = st.text(st.characters(categories=("L", "N"), codec="utf-8"), min_size=SHORTEST + 4, max_size=40)


@given(before=WORDS, secret=SECRET, after=WORDS)
def test_a_known_secret_is_nowhere_in_a_document(before: str, secret: str, after: str) -> None:
    assume(secret not in HIDDEN and secret not in before and secret not in after)
    clean = Redactor([secret], {}).tree({"a": [before + secret + after, {"b" + secret: (secret, 7, None)}]})
    assert secret not in json.dumps(clean, ensure_ascii=False)
    assert clean["a"][1]


@given(
    name=st.from_regex(r"[a-z0-9._+-]{1,20}", fullmatch=True), before=st.sampled_from(["", " ", "<", "'", "mailto:"])
)
def test_an_address_is_removed_from_any_text(name: str, before: str) -> None:
    assert "@acme" not in Redactor([], {}).text(f"of {before}{name}@acme.example.co.uk said")


@pytest.mark.parametrize(
    "token",
    [
        "00D5g0000000001!AQ.abc_DEF123",
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln",
        "Bearer abcdefghijklmnop",
        "-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----",
        "https://someone:password@proxy.example",
        "LastName = 'Piaf'",
        "Name IN ('Piaf')",
        "City like 'Pi%'",
    ],
)
def test_what_looks_like_a_secret_or_a_value_goes(token: str) -> None:
    text = Redactor([], {}).text(f"it said: {token} and went on")
    for part in ("AQ.abc", "eyJ", "abcdefghijklmnop", "MIIabc", "someone:password", "Piaf", "'Pi%"):
        assert part not in text
    assert text.startswith("it said: ")
    assert text.endswith("and went on")


def test_names_of_fields_and_objects_stay() -> None:
    told = (
        "Account: crosswalk.yaml relies on acme__Tier__c (mapping), API version 62.0, 1,234 records at 2026-11-01T10:00"
    )
    assert Redactor(["other-secret"], {"/home/x": "~"}).text(told) == told


def test_secrets_come_from_variables_and_files_and_folders_are_shortened(tmp_path: Path) -> None:
    (tmp_path / "credentials.json").write_text(json.dumps({"refresh_token": "5Aep861StoredRefreshTokenOfTheHome"}))
    (tmp_path / "masking.key").write_text("0123456789abcdef")
    key = tmp_path / "server.key"
    key.write_text("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----\n")
    environ = {
        "SALESFORCE_CLIENT_SECRET": "client-secret-value",
        "SALESFORCE_PRIVATE_KEY_FILE": str(key),
        "CROSSWALK_DATABASE_URL": "postgresql://u:database-password@db/x",
        "SALESFORCE_AUTH": "refresh_token",
    }
    clean = redactor(tmp_path, environ, {"boss@acme.example", ""})
    told = (
        f"{tmp_path}/warehouse.duckdb 5Aep861StoredRefreshTokenOfTheHome 0123456789abcdef MIIEvQIBADANBg "
        "client-secret-value database-password boss@acme.example refresh_token"
    )
    assert clean.text(told) == f"$CROSSWALK_HOME/warehouse.duckdb {' '.join([HIDDEN] * 6)} refresh_token"


def test_settings_keep_their_keys_and_lose_their_values() -> None:
    settings = Settings.model_validate(
        {
            "objects": {
                "lead": {"selection": {"mode": "condition", "condition": "LastName = 'Piaf' AND City != null"}}
            },
            "imports": {"mapping": {"lead": {"source": {"static": "Piaf"}, "tier": {"sources": ["Tier__c"]}}}},
            "reference": {"company": {"path": "/srv/piaf/companies.csv"}},
            "users": {"by_hand": {"005000000000001AAA": "piaf"}},
            "review": {"accounts": [{"name": "piaf", "password_hash": "x", "role": "admin"}]},
            "alerts": {"webhook_url": "https://hooks.example/piaf"},
        }
    )
    body = safe_settings(settings)
    assert "piaf" not in json.dumps(body).lower()
    assert body["objects"]["lead"]["selection"]["condition"] == "LastName = '…' AND City != null"
    assert body["imports"]["mapping"]["lead"]["tier"]["sources"] == ["Tier__c"]
    assert body["users"]["by_hand"] == "1 users"
    assert quoted_values(settings) == {"Piaf"}

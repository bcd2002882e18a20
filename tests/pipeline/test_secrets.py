"""Failing runs, every way of signing in, at several points: what they write holds no secret, and persons only as data.

The command line runs in this process with Dagster's real storage. Read are all files of the home, Dagster's included,
and both output streams.
"""

import csv
import json
import re
import shutil
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from apps.cli.main import main
from apps.demo_org.launch import DemoOrg
from pipelines.extract import submit
from resources.salesforce import RetryPolicy, Secret, TokenStore
from resources.salesforce.token_store import StoredToken
from tests.support.demo_org_client import Client
from tests.support.installation import Installation, install
from tests.support.org_forge import forked_demo_org
from tests.support.web_sign_in import refresh_token_of

#: Values of persons, found nowhere else.
PERSON = {"LastName": "Zzyzxcanary", "Email": "zzyzx.canary@canary.example", "Phone": "+1 212 555 0199 77331"}
#: Files that are the data itself.
DATA = re.compile(r"(\.csv(\.gz)?(\.part)?|\.duckdb(\.wal)?|\.parquet)$")
#: An access token of any org: its id, an exclamation mark, and more.
ACCESS_TOKEN = re.compile(rb"00D\w{12,15}!\w")


@dataclass
class Failures:
    """Where the runs happened, what they printed, and what must not be found."""

    installation: Installation
    printed: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Every file that the runs left, settings included."""
        for path in self.installation.folder.rglob("*"):
            if path.is_file():
                yield str(path.relative_to(self.installation.folder)), unpacked(path.read_bytes())


def unpacked(content: bytes) -> bytes:
    """The bytes of a file; of a gzip file, cut short or not, what is in it."""
    return zlib.decompressobj(31).decompress(content) if content[:2] == b"\x1f\x8b" else content


@pytest.fixture(scope="module")
def org_with_canaries(org_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("canaries") / "org"
    shutil.copytree(org_files, data)
    for name in ("Contact", "Lead"):
        file = data / f"{name}.csv"
        with file.open(newline="", encoding="utf-8") as source:
            rows = list(csv.DictReader(source))
        rows = [rows[0] | PERSON, *rows[1:]]
        if name == "Lead":
            # No org gives such an id: the contract refuses it.
            rows.append({**rows[0], "Id": "00Q5g0000-broken-1"})
        with file.open("w", newline="", encoding="utf-8") as target:
            writer = csv.DictWriter(target, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
    return data


#: Way to sign in → what goes wrong, of which object, and a word of the message.
RUNS: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    "client_credentials": ([], "lead", "id_format"),
    "jwt": ([{"action": "status", "status": 403, "match": {"path": "/jobs/query"}}], "contact", "Salesforce refused"),
    "refresh_token": ([{"action": "drop_connection", "bytes": 500, "match": {"path": "/result"}}], "contact", "Next: "),
    "access_token": ([{"action": "expire_session", "match": {"path": "/describe$"}}], "contact", "ACCESS_TOKEN"),
}


@pytest.fixture(scope="module")
def failures(org_with_canaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Failures]:
    """Every way of signing in has failed once in one home."""
    folder = tmp_path_factory.mktemp("secrets")
    faults = folder / "faults.json"
    faults.write_text("[]")
    with forked_demo_org(org_with_canaries, faults=faults) as server:
        made = Failures(install(folder / "installation", org_with_canaries, server))
        rotating = Client(server)("POST", "/__demo__/settings", json={"security": {"refresh_token_rotation": True}})
        assert rotating.status_code == 200
        obtained = refresh_token_of(server)
        store = TokenStore(made.installation.home.root)
        store.save_token(StoredToken(Secret(obtained), server.client_id, server.url))
        for grant, (script, name, _) in RUNS.items():
            faults.write_text(json.dumps(script))
            made.printed[grant] = fail(made.installation, environment(server, grant), name)
        rotated = store.token()
        assert rotated is not None
        made.secrets = {
            "client secret": server.client_secret,
            "access token": server.access_token,
            "private key": Path(server.private_key_file).read_text().splitlines()[1],
            "first refresh token": obtained,
        }
        assert rotated.refresh_token.reveal() != obtained
        store.remove_token()
        made.secrets["rotated refresh token"] = rotated.refresh_token.reveal()
        yield made


def environment(server: DemoOrg, grant: str) -> dict[str, str]:
    variables = server.environment() | {"SALESFORCE_AUTH": grant}
    match grant:
        case "jwt":
            variables |= {
                "SALESFORCE_USERNAME": server.username,
                "SALESFORCE_PRIVATE_KEY_FILE": server.private_key_file,
            }
        case "access_token":
            variables["SALESFORCE_ACCESS_TOKEN"] = server.access_token
    return variables


def fail(installation: Installation, variables: dict[str, str], name: str) -> str:
    """Run ``crosswalk sync`` and return everything it printed."""
    installation.environment = variables
    installation.activate()
    output = installation.folder / "output.txt"
    with pytest.MonkeyPatch.context() as patch, output.open("w") as stream:
        patch.setattr(sys, "argv", ["crosswalk", "sync", "--object", name])
        patch.setattr(RetryPolicy, "wait", lambda *_: None)
        patch.setattr(submit, "REST_ROWS", -1)
        patch.setattr(sys, "stdout", stream)
        patch.setattr(sys, "stderr", stream)
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == 1
    return output.read_text()


@pytest.mark.parametrize("grant", RUNS)
def test_each_run_failed_where_it_should(grant: str, failures: Failures) -> None:
    told = failures.printed[grant].rpartition("Error: ")[2]
    assert RUNS[grant][2] in told, failures.printed[grant][-2000:]
    assert "Traceback" not in failures.printed[grant]


def test_no_secret_is_in_any_file_or_stream(failures: Failures) -> None:
    names = [name for name, _ in failures.files()]
    assert [name for name in names if "dagster" in name and name.endswith(".db")], "Dagster's storage is not looked at"
    assert [name for name in names if name.endswith("manifest.json")], "no landing folder is looked at"
    for label, secret in failures.secrets.items():
        assert len(secret) > 10, label
        assert [name for name, content in failures.files() if secret.encode() in content] == [], label
        assert [grant for grant, text in failures.printed.items() if secret in text] == [], label
    assert [name for name, content in failures.files() if ACCESS_TOKEN.search(content)] == []
    assert [name for name, content in failures.files() if b"Bearer " in content] == []


def test_persons_are_in_the_data_and_nowhere_else(failures: Failures) -> None:
    held = {name for name, content in failures.files() if PERSON["LastName"].encode() in content}
    arrived = {match[1] for name in held if (match := DATA.search(name))}
    assert arrived >= {".csv.gz", ".duckdb"}, "the canary never arrived, so this proves nothing"
    for label, value in PERSON.items():
        found = [name for name, content in failures.files() if value.encode() in content and not DATA.search(name)]
        assert found == [], label
        assert [grant for grant, text in failures.printed.items() if value in text] == [], label

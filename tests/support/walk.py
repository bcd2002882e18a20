"""README's walk by one who does what it says: what to type, what every command said, which pairs were decided."""

import csv
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
from click.testing import CliRunner

from apps.cli.main import cli
from apps.demo_org.launch import DemoOrg
from data_contracts.settings_file import load_settings
from resources.home import Home
from tests.support.documented import ROOT, Shown, shown
from tests.support.review_reading import Page
from tests.support.review_site import Person, serve_review

PAIRS = 10
README = (ROOT / "README.md").read_text(encoding="utf-8")
BEGINNING, END = "## Your own org, from nothing", "## Commands"
#: Columns of the reference that are called otherwise, as in README's example.
OURS = {"company_id": "id", "name": "legal_name"}


def commands_of_the_walk() -> list[Shown]:
    """Return what README's walk shows to be typed, in its order."""
    first, last = (README[: README.index(mark)].count("\n") for mark in (BEGINNING, END))
    return [item for item in shown() if item.page == "README.md" and item.typed and first < item.line < last]


def put_reference(source: Path, folder: Path) -> None:
    """Write the demo's companies under column names of our own, its people, and one own user, into ``folder``."""
    with (source / "company.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with (folder / "companies.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [OURS.get(name, name) for name in rows[0]])
        writer.writeheader()
        writer.writerows({OURS.get(name, name): value for name, value in row.items()} for row in rows)
    (folder / "people.csv").write_bytes((source / "person.csv").read_bytes())
    (folder / "users.csv").write_text("login,full_name,email\nuna,Una Own,una@example.com\n")


def _linked(decided: list[tuple[str, str]]) -> tuple[str, str, str]:
    """The page of an account that the run has linked and nobody has decided on: its path, object and record."""
    with duckdb.connect(str(Home.from_environment().published), read_only=True) as con:
        query = "SELECT salesforce_id, reference_id FROM crosswalk.account WHERE status = 'linked' ORDER BY ALL"
        rows = con.sql(query).fetchall()
    record, entity = next(row for row in rows if ("account", row[0]) not in decided)
    return f"/pair/account/{record}?reference_id={entity}", "account", str(record)


@dataclass
class Walk:
    """One person on the way; the environment names home and settings in ``folder``, and how to sign in to ``org``."""

    folder: Path
    org: DemoOrg
    told: dict[str, str] = field(default_factory=dict)
    decided: list[tuple[str, str]] = field(default_factory=list)

    def take(self, item: Shown) -> None:
        """Do what a line of README says."""
        words = [word.replace("https://acme.my.salesforce.com", self.org.url) for word in item.words]
        if words == ["crosswalk", "review"]:
            self.review()
        elif words[0] == "crosswalk":
            self.told.setdefault(" ".join(words[1:]), self.crosswalk(words[1:]))
            if words[1] == "init":
                self._add_users()
        else:
            # Environment and folder are those of this walk already.
            assert words[0] in ("make", "export", "mkdir"), item

    def crosswalk(self, words: Sequence[str]) -> str:
        """Run a command and return what it said; ``ID`` is an account that a person has decided."""
        account = next((record for name, record in self.decided if name == "account"), "")
        words = [account if word == "ID" else word for word in words]
        done = CliRunner().invoke(cli, words)
        assert done.exit_code == 0, (words, done.output, done.exception)
        return done.output

    def _add_users(self) -> None:
        """As docs/users.md has it: what the commands on users work on."""
        source = "users: {source: {path: users.csv, columns: {user_id: login, name: full_name}}}\n"
        with (self.folder / "crosswalk.yaml").open("a") as file:
            file.write(source)

    def review(self) -> None:
        """Open the link that the review page prints, and decide the first pairs of its queue."""
        with serve_review(Home.from_environment().root, load_settings()) as site:
            assert site.sign_in
            person = Person(site.url)
            (form,) = Page(person.get(site.sign_in.removeprefix(site.url)).text).forms
            assert person.post(form.action, form.fields).status_code == 303
            while len(self.decided) < PAIRS:
                self._decide(person)

    def _decide(self, person: Person) -> None:
        # One of each object at least; which pairs teach most is another test's.
        asked = ["account", "contact", "lead"][len(self.decided) % 3]
        page = person.get(f"/queue?object={asked}").text + person.get("/queue").text
        links = re.findall(r'href="(/pair/(\w+)/(\w+)\?[^"]+)"', page)
        links = [found for found in links if found[1:] not in self.decided]
        if not links or not self.decided and not any(found[1] == asked for found in links):
            # In so small an org nearly every record may have found its entity: a person can say so too.
            links.insert(0, _linked(self.decided))
        path, *pair = links[0]
        forms = Page(person.get(html.unescape(path)).text).forms
        form = next(form for form in forms if form.action.endswith("/decide"))
        answer = person.post(form.action, form.fields | {"judgement": "positive", "reason": ""})
        assert answer.status_code == 303, answer.text[:2000]
        self.decided.append((pair[0], pair[1]))

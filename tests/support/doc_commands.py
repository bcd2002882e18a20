"""How each command of README and docs is run by ``tests/pipeline/test_walk.py``, and which are not, with the reason.

A new command of a page is added here: to ``RUN`` with what its placeholders stand for, or to ``NOT_RUN``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

ACCOUNT = dict.fromkeys(("ID", "0015f00000AbCdEAAV", "0015f00002ABCDE", "001xx000003DGbYAAW"), "account")


@dataclass(frozen=True)
class Case:
    """A command as pages show it.

    ``given`` says which fact of the home stands in place of a word, ``answer`` what is typed when it asks. ``starts``
    is the run it asks for, kind and objects: it is noted, and not run. ``fresh`` is a place without settings.
    """

    text: str
    given: Mapping[str, str] = field(default_factory=dict)
    answer: str = ""
    code: int = 0
    says: str = ""
    starts: tuple[str, tuple[str, ...]] | None = None
    fresh: bool = False


PASSWORD = "correct horse battery\n"
NAMES = ("account", "contact", "lead")

#: In this order: what takes something away comes last.
RUN = (
    Case("crosswalk init", fresh=True),
    Case("crosswalk init --ask", fresh=True, answer="https://b.my.salesforce.com\n\n\n"),
    Case("crosswalk settings check", says="is right"),
    Case("crosswalk check", says="is right"),
    Case("crosswalk settings check --org", says="is right"),
    Case("crosswalk settings suggest", says="objects:"),
    Case("crosswalk settings diff last", says="settings are those of run"),
    Case("crosswalk settings schema", says='"properties"'),
    Case("crosswalk settings thresholds", says="account"),
    Case("crosswalk connect", says="@"),
    Case("crosswalk preflight", says="green"),
    Case("crosswalk preflight --support-bundle [FILE]", {"[FILE]": "file"}),
    Case("crosswalk selection validate account", says="match"),
    Case("crosswalk fields account", says="BillingCity"),
    Case("crosswalk fields account --org", says="BillingCity"),
    Case("crosswalk fields OBJECT", {"OBJECT": "account name"}, says="BillingCity"),
    Case("crosswalk mapping validate"),
    Case("crosswalk mapping validate account --org"),
    Case("crosswalk mapping test", says="passed"),
    Case("crosswalk mapping test account 0015f00000AbCdEAAV", ACCOUNT, says="passed"),
    Case("crosswalk mapping test contact --org", says="passed"),
    Case("crosswalk status", says="Next runs"),
    Case("crosswalk status --json", says='"next_runs"'),
    Case("crosswalk explain account ID", ACCOUNT, says="Decision: positive"),
    Case("crosswalk explain account 0015f00002ABCDE", ACCOUNT, says="Decision: positive"),
    Case("crosswalk explain OBJECT ID", ACCOUNT | {"OBJECT": "account name"}, says="Decision: positive"),
    Case("crosswalk approve", says="No run waits"),
    Case("crosswalk approve RUN", {"RUN": "run"}, code=1, says="crosswalk approve"),
    Case("crosswalk users list", says="user"),
    Case("crosswalk users show USER", {"USER": "user"}, says="Owns"),
    Case("crosswalk users find WORDS", {"WORDS": "own"}, says="Una Own"),
    Case('crosswalk users map USER OWN_ID --reason "married name"', {"USER": "user", "OWN_ID": "own"}, says="una"),
    Case("crosswalk users unmap USER", {"USER": "user"}, says="from the next run on"),
    Case("crosswalk users release USER", {"USER": "user"}, says="from the next run on"),
    Case("crosswalk review --hash-password", answer=PASSWORD * 2, says="scrypt:"),
    Case("crosswalk decisions export decisions.csv", says="10 decisions"),
    Case("crosswalk decisions import decisions.csv", says="10"),
    Case("crosswalk proposals export accepted.parquet", says="accepted"),
    Case("crosswalk proposals export waiting.csv --status proposed", says="proposed"),
    Case("crosswalk export parquet", says="tables"),
    Case("crosswalk dictionary --out docs/dictionary.md", {"docs/dictionary.md": "file"}),
    Case("crosswalk sync", starts=("full", ())),
    Case("crosswalk sync --full", starts=("full", ())),
    Case("crosswalk sync --delta", starts=("delta", ())),
    Case("crosswalk sync --object account", starts=("full", ("account",))),
    Case("crosswalk reimport account 001xx000003DGbYAAW", ACCOUNT, starts=("delta", ("account",))),
    Case("crosswalk reimport account", starts=("delta", ("account",))),
    Case("crosswalk reimport everything", starts=("delta", NAMES)),
    Case("crosswalk reimport lead --later", says="next run"),
    Case("crosswalk rollback --list", says="in place"),
    Case("crosswalk rollback", says="Analysts now read"),
    Case("crosswalk rollback RUN", {"RUN": "run"}, says="Analysts now read"),
    Case("crosswalk clear account", answer="n\n", says="Nothing was removed"),
    Case("crosswalk clear OBJECT", {"OBJECT": "account name"}, answer="y\n", says="crosswalk.account"),
    Case("crosswalk forget person ID", {"ID": "person"}, answer="n\n", says="Nothing was erased"),
    # What is erased, and that nothing is left, are the tests of tests/integration/forget.
    Case("crosswalk forget contact 003XXXXXXXXXXXXXXX", {"003XXXXXXXXXXXXXXX": "contact"}, answer="n\n",
         says="Nothing was erased"),
    Case("crosswalk disconnect", answer="y\n", says="Disconnected from org"),
)  # fmt: skip

_ORG = "the fixture `org` is this command, started as a process"
#: Commands of pages that no test of this file starts, each with the reason.
NOT_RUN = {
    "crosswalk demo-org serve": _ORG,
    "crosswalk demo-org serve --data DIR": _ORG,
    "crosswalk demo-org serve --request-log FILE": _ORG,
    "crosswalk demo-org serve --data DIR --port N [--http PORT] [--faults FILE] [--request-log FILE]": _ORG,
    "crosswalk review": "serves at a fixed port until it is ended; the walk decides on the page it serves",
    "crosswalk review --port 0 --json": "run as a process by tests/integration/review/test_review_command.py",
}
#: Programs and words of shells that pages show in blocks, and why no test starts them.
FOREIGN = {
    "make": "the targets make environments, run these tests, or are benchmarks; each is held to the Makefile",
    "cd": "of the shell",
    "mkdir": "of the shell",
    "export": "of the shell; the walk has these variables",
    "chmod": "of the system",
    "flock": "of Linux, with a place for backups that only its owner knows",
    "openssl": "of the system",
    "sf": "Salesforce's own command line, against an org of Salesforce's",
    "dagster": "the schedules are switched on by the walk",
    "dagster-webserver": "a production instance on PostgreSQL; make ui serves the same in tests/browser",
    "dagster-daemon": "a production instance on PostgreSQL; make ui runs the same in tests/browser",
}

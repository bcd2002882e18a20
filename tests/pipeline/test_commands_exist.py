"""Commands, options and targets that README and docs name are there; what the readers of pages see is found at all."""

import pytest

from apps.cli.main import COMMANDS, cli
from tests.support.documented import PAGES, ROOT, Shown, fault, fit, is_whole, options_named_nowhere, shown


def test_every_command_that_a_page_names_exists() -> None:
    assert len(shown()) > 100
    assert [f"{item}: {told}" for item in shown() if (told := fault(item))] == []


@pytest.mark.parametrize("page", PAGES)
def test_an_option_by_itself_belongs_to_a_command_of_its_page(page: str) -> None:
    assert options_named_nowhere(page) == []


def test_the_table_of_commands_has_each_once_more_than_never() -> None:
    named = {item.words[0] for item in shown() if item.page == "README.md" and not item.typed}
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("| command | what |")[2].partition("\n\n")[0]
    assert [name for name in COMMANDS if f"`{name}" not in table] == []
    assert "settings" in named


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["snyc"], "no command 'snyc'"),
        (["sync", "--fast"], "no option --fast"),
        (["users", "maps"], "no command 'maps'"),
        (["users", "list|shwo"], "no command 'shwo'"),
        (["fields", "account", "contact"], "takes no 'contact'"),
        (["explain", "opportunity", "ID"], "one of account, contact, lead"),
        (["proposals", "export", "a.csv", "--status", "new"], "not 'new'"),
        (["--colour"], "no option --colour"),
    ],
)
def test_what_does_not_exist_is_found(words: list[str], told: str) -> None:
    assert told in fit(cli, words)[0]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("crosswalk users list --search TEXT", True),
        ("crosswalk sync [--full|--delta] [--object NAME]", True),
        ("crosswalk rollback", True),
        ("crosswalk users", False),
        ("crosswalk fields", False),
        ("crosswalk users map USER", False),
    ],
)
def test_a_command_is_whole_or_only_named(text: str, whole: bool) -> None:
    item = Shown("a page", 1, text, typed=False)
    assert fault(item) == ""
    assert is_whole(item) is whole


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("make benhc", "no target 'benhc'"),
        ("make soak SEEDS=1", "no variable SEEDS"),
        ("python -m benchmarks.nothing", "no module"),
        ("python -m benchmarks.quality --date X", "no option --date"),
        (".venv/bin/dagster schedules start", "no command 'schedules'"),
    ],
)
def test_targets_and_modules_are_looked_at_too(text: str, told: str) -> None:
    assert told in fault(Shown("a page", 1, text, typed=False))

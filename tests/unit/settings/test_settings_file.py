"""Reading crosswalk.yaml: every wrong input ends in a sentence with its line."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from data_contracts.errors import SettingsError
from data_contracts.settings import Settings
from data_contracts.settings_file import SettingsFileError, load_settings

EXAMPLE = Path(__file__).parents[3] / "crosswalk.example.yaml"


def _problems(tmp_path: Path, text: str | bytes) -> list[str]:
    file = tmp_path / "crosswalk.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsFileError) as caught:
        load_settings(file)
    assert "crosswalk settings check" in str(caught.value)
    return [str(problem) for problem in caught.value.problems]


WRONG = {
    "misspelt key": (
        "objects:\n  account:\n    enabld: true\n",
        "line 3, objects.account.enabld: unknown key",
        "enabled?",
    ),
    "misspelt section": ("\nobject:\n  account: {}\n", "line 2, object: unknown key", "did you mean objects?"),
    "misspelt object": ("objects:\n  acount: {}\n", "line 2, objects.acount: unknown key", "did you mean account?"),
    "object by API name": ("objects:\n  Account: {}\n", "line 2, objects.Account", "did you mean account?"),
    "misspelt word": (
        "objects:\n  lead:\n    frequency: dayly\n",
        "line 3, objects.lead.frequency: not one of the allowed values (it says 'dayly')",
        "daily, weekly, biweekly, monthly, manual; did you mean daily?",
    ),
    "no value": ("limits:\n", "line 1, limits: has no value", "remove the key"),
    "no object value": ("objects:\n  account:\n", "line 2, objects.account: has no value", ""),
    "zone": ("window:\n  time_zone: America/Ney_York\n", "line 2, window.time_zone", "not an IANA time zone"),
    "time": ("window:\n  opens: 25:00\n", "line 2, window.opens", "it says '25:00'"),
    "four filters": (
        "objects:\n  account:\n    custom_filters: [{field: A}, {field: B}, {field: C}, {field: D}]\n",
        "line 3, objects.account.custom_filters: at most 3",
        "here are 4",
    ),
    "blank mapping row": (
        "imports:\n  mapping:\n    lead:\n      email: {}\n",
        "line 4, imports.mapping.lead.email",
        "blank",
    ),
    "mapping of another object": (
        "imports:\n  mapping:\n    user: {}\n",
        "line 3, imports.mapping.user",
        "account, contact, lead",
    ),
    "thresholds": (
        "matching:\n  thresholds: {link: 0.4, review: 0.6}\n",
        "line 2, matching.thresholds",
        "must not be above",
    ),
    "share": ("alerts:\n  removed_share: 3\n", "line 2, alerts.removed_share", "less than or equal to 1"),
    "lists without lists": (
        "objects:\n  lead:\n    selection: {mode: lists}\n",
        "line 3, objects.lead.selection",
        "lists",
    ),
    "condition without one": ("objects:\n  lead:\n    selection: {mode: condition}\n", "line 3", "condition needs"),
    "path and url": (
        "reference:\n  company: {path: a, url: b, table: c}\n",
        "line 2, reference.company",
        "exactly one",
    ),
    "neither path nor url": ("reference:\n  company: {}\n", "line 2, reference.company", "exactly one"),
    "url without table": ("reference:\n  company: {url: 'sqlite:///x'}\n", "line 2, reference.company", "needs table"),
    "reference column": (
        "reference:\n  company:\n    path: a.csv\n    columns: {nam: x}\n",
        "line 4, reference.company.columns.nam: unknown key",
        "did you mean name?",
    ),
    "schema": (
        "publish:\n  schemas: [salesforce, import]\n",
        "line 2, publish.schemas.2: unknown name 'import'",
        "imports?",
    ),
    "a text where keys belong": ("objects: all\n", "line 1, objects: keys and values are expected", "'all'"),
    "a text where a list belongs": (
        "imports:\n  mapping:\n    lead:\n      email: {sources: Email}\n",
        "line 4",
        "a list is expected",
    ),
    "tab": ("objects:\n\taccount: {}\n", "line 2, a tab is used", ""),
    "duplicate key": ("limits: {}\nlimits: {}\n", "line 2, the key limits stands twice", ""),
    "unclosed quote": ('window: {}\nconnection:\n  login_url: "https://x\n', "line 3, a quote is opened here", ""),
    "list at top": ("- a\n- b\n", "line 1, the file holds a list", ""),
    "word at top": ("hello\n", "line 1, the file holds a single value", ""),
    "empty": ("", "line 1, the file holds no settings", ""),
    "comments only": ("# nothing\n", "line 1, the file holds no settings", ""),
    "not UTF-8": (b"window: {}\n# caf\xe9\n", "line 2, byte 0xe9 is not UTF-8", ""),
    "control character": ("window: {}\n# \x00\n", "line 2, the file holds a control character", ""),
    "not YAML": ("objects: [a\nb: c\n", "this is not YAML", ""),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_named_by_line_key_value_and_nearest_word(tmp_path: Path, case: str):
    text, start, rest = WRONG[case]
    problems = _problems(tmp_path, text)
    assert len(problems) == 1
    assert start in problems[0]
    assert rest in problems[0]


def test_every_problem_is_told_at_once_in_order_of_lines(tmp_path: Path):
    problems = _problems(
        tmp_path, "windw: {}\nobjects:\n  acount: {}\n  lead: {frequency: x}\nlimits: {memory: lots}\n"
    )
    assert [problem.split(",")[0] for problem in problems] == ["line 1", "line 3", "line 4", "line 5"]


def test_a_password_is_refused_and_not_repeated(tmp_path: Path):
    text = "reference:\n  person: {url: 'postgresql://ann:hunter2@h/d', table: t}\n"
    (problem,) = _problems(tmp_path, text)
    assert "${NAME}" in problem
    assert "hunter2" not in problem


def test_the_example_loads_and_shows_every_top_level_key():
    loaded = load_settings(EXAMPLE)
    assert set(loaded.model_fields_set) == set(Settings.model_fields)
    assert loaded.objects["account"].custom_filters[0].name == "Sector"


@pytest.mark.parametrize(
    "section", ["window", "limits", "matching", "exports", "users", "publish", "retention", "alerts", "review"]
)
def test_the_example_shows_the_defaults(section: str):
    assert getattr(load_settings(EXAMPLE), section) == getattr(Settings(), section)


def test_a_file_that_was_named_must_exist_and_the_default_one_need_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert load_settings() == Settings()
    monkeypatch.setenv("CROSSWALK_CONFIG", str(tmp_path / "other.yaml"))
    with pytest.raises(SettingsError, match=r"other\.yaml: No such file"):
        load_settings()
    (tmp_path / "other.yaml").write_text("window: {time_zone: UTC}\n")
    assert load_settings().window.time_zone == "UTC"


def test_a_folder_is_not_a_settings_file(tmp_path: Path):
    with pytest.raises(SettingsError, match="cannot read"):
        load_settings(tmp_path)


def test_paths_are_relative_to_the_file_and_numbers_may_stand_for_text(tmp_path: Path):
    file = tmp_path / "crosswalk.yaml"
    file.write_text(
        "connection: {api_version: 61.0}\nreference:\n  company: {path: data/c.csv}\n  person: {path: /p.csv}\n"
    )
    loaded = load_settings(file)
    assert loaded.reference.company is not None
    assert loaded.reference.person is not None
    assert loaded.reference.company.path == str(tmp_path / "data/c.csv")
    assert loaded.reference.person.path == "/p.csv"
    assert loaded.connection.api_version == "61.0"


def test_objects_not_named_keep_their_defaults_and_custom_ones_are_allowed(tmp_path: Path):
    file = tmp_path / "crosswalk.yaml"
    file.write_text("objects:\n  lead: {enabled: false}\n  my_thing__c: {}\n  task: {}\n")
    objects = load_settings(file).objects
    assert not objects["lead"].enabled
    assert objects["account"].enabled
    assert {"my_thing__c", "task"} < objects.keys()


def test_aliases_and_a_byte_order_mark_are_read(tmp_path: Path):
    file = tmp_path / "crosswalk.yaml"
    file.write_bytes(b"\xef\xbb\xbfobjects:\n  account: &same {frequency: weekly}\n  lead: *same\n")
    assert load_settings(file).objects["lead"].frequency == "weekly"


def test_where_names_the_line(tmp_path: Path):
    file = tmp_path / "crosswalk.yaml"
    file.write_text("window: {}\nimports:\n  mapping:\n    lead:\n      email: {sources: [Email]}\n")
    loaded = load_settings(file)
    assert loaded.where("imports", "mapping", "lead", "email") == "crosswalk.yaml line 5, imports.mapping.lead.email"
    assert loaded.where("limits") == "limits"


def test_the_hash_follows_the_settings():
    assert Settings().hash() == Settings().hash()
    assert Settings().hash() != Settings.model_validate({"window": {"time_zone": "UTC"}}).hash()


junk = st.sampled_from([None, True, 0, -1, 1.5, "", "x", [], [None], ["x", {}], {}, {"x": None}, {1: 2}, "2026-13-40"])


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_the_example_with_anything_in_any_place_ends_in_settings_or_a_settings_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    document = YAML(typ="safe").load(EXAMPLE)
    node = document
    while True:
        places = list(node) if isinstance(node, dict) else list(range(len(node)))
        place = data.draw(st.sampled_from(places))
        inside = node[place]
        if not isinstance(inside, (dict, list)) or not inside or data.draw(st.booleans()):
            break
        node = inside
    node[place] = data.draw(junk)
    file = tmp_path_factory.getbasetemp() / "mutated.yaml"
    YAML().dump(document, file)
    try:
        outcome: object = load_settings(file)
    except SettingsError as error:
        outcome = str(error)
    assert isinstance(outcome, Settings) or "line " in str(outcome)


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "ignore")))
def test_no_bytes_end_in_anything_but_settings_or_a_settings_error(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
):
    file = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    file.write_bytes(raw)
    try:
        outcome: object = load_settings(file)
    except SettingsError as error:
        outcome = str(error)
    assert isinstance(outcome, Settings) or "fuzz.yaml" in str(outcome)

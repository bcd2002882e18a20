"""The JSON Schema that editors read: the one shipped is the model's, and it judges as the reader does."""

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

import data_contracts
from data_contracts.settings_schema import settings_schema
from tests.unit.settings.test_settings_file import EXAMPLE, WRONG

SHIPPED = Path(data_contracts.__file__).parent / "crosswalk.schema.json"
JUDGE = jsonschema.Draft7Validator(settings_schema())
#: What no schema can say: a rule between keys, a zone's name, a duplicate. The reader says it.
ONLY_READ = {
    *("zone", "thresholds", "lists without lists", "condition without one", "path and url", "neither path nor url"),
    *("url without table", "blank mapping row"),
}
#: Not a YAML document with keys at all.
NO_DOCUMENT = {"tab", "duplicate key", "unclosed quote", "empty", "comments only", "not UTF-8", "control character",
               "not YAML"}  # fmt: skip


def read(text: str) -> object:
    return json.loads(json.dumps(YAML(typ="safe").load(text), default=str))


def test_the_shipped_schema_is_the_model_s():
    made = json.dumps(settings_schema(), indent=2, ensure_ascii=False) + "\n"
    assert SHIPPED.read_text(encoding="utf-8") == made, (
        "the settings changed; run: .venv/bin/crosswalk settings schema > data_contracts/crosswalk.schema.json"
    )


def test_it_is_a_schema_and_the_example_keeps_to_it():
    jsonschema.Draft7Validator.check_schema(settings_schema())
    assert [error.message for error in JUDGE.iter_errors(read(EXAMPLE.read_text(encoding="utf-8")))] == []


@pytest.mark.parametrize("case", sorted(WRONG.keys() - ONLY_READ - NO_DOCUMENT))
def test_an_editor_marks_what_the_reader_refuses(case: str):
    text = WRONG[case][0]
    assert isinstance(text, str)
    assert not JUDGE.is_valid(read(text))


@pytest.mark.parametrize(
    "text",
    [
        "connection: {api_version: 62.0}",
        "window: {opens: '20:00', closes: 6:30}",
        "objects: {Site__c: {frequency: weekly, set_up_on: 2026-01-05}}",
        "imports: {mapping: {lead: {email: null, phone: {add: [Fax], mode: tracked}}}}",
    ],
)
def test_an_editor_takes_what_the_reader_takes(text: str):
    assert [error.message for error in JUDGE.iter_errors(read(text))] == []

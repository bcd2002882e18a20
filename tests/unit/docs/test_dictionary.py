"""docs/dictionary.md is what the contracts say today."""

from pathlib import Path

from data_contracts.contracts import contract_names, load_contract
from data_contracts.dictionary import SCHEMAS, dictionary_page
from pipelines.publish.published_tables import PUBLISHED_SCHEMAS

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_is_up_to_date() -> None:
    made = "crosswalk dictionary --out docs/dictionary.md"
    assert (DOCS / "dictionary.md").read_text(encoding="utf-8") == dictionary_page(), f"a contract changed; run: {made}"


def test_every_published_table_and_column_is_on_it() -> None:
    page = dictionary_page()
    assert {*SCHEMAS} == {*PUBLISHED_SCHEMAS} - {"insight"} | {name.partition(".")[0] for name in contract_names()}
    for name in contract_names():
        section = page.split(f"### {name}\n")[1].split("\n### ")[0]
        assert [c.name for c in load_contract(name).columns if f"| `{c.name}` |" not in section] == []

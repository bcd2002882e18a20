"""How alike two names are, by standardization and the word-by-word comparison alone; expectations written by hand."""

import pytest

from benchmarks.names import Counts, Pair, counted, figures, likeness, top_one

SAME = (
    ("Acme Widgets Inc.", "WIDGETS ACME"),
    ("Siemens Aktiengesellschaft", "Siemens AG"),
    ("ООО Ромашка", "Romashka LLC"),
    ("Good Will Furniture", "Goodwill Furniture Ltd"),
    ("PricewaterhouseCoopers LLP", "Pricewaterhouse Coopers"),
    ("First Bank Int’l", "1st International Bank"),
    ("Brigade Forty-Four", "Brigade 44"),
    ("Crystalord Limited", "Cristalord"),
    ("Groupe Danone", "Danone Group"),
)
OTHER = (
    ("Bowne of Dallas, L.P.", "Bowne of Phoenix, Inc."),
    ("Volkswagen AG", "Siemens AG"),
    ("Tactical Kittens Corporation", "Tactical Missiles Corporation"),
    ("Bank of China (Hong Kong) Limited", "Bank of China (Singapore) Limited"),
)


def test_the_same_names_are_alike_and_others_are_not() -> None:
    scores = dict(zip((*SAME, *OTHER), likeness((*SAME, *OTHER)), strict=True))
    assert {pair: round(scores[pair], 2) for pair in SAME if scores[pair] < 0.9} == {}
    assert {pair: round(scores[pair], 2) for pair in OTHER if scores[pair] >= 0.7} == {}


def test_a_number_is_itself_or_another_one() -> None:
    same, year, typo = likeness(
        [
            ("Loan Trust 2004-1", "Loan Trust 2004-1"),
            ("Loan Trust 2004", "Loan Trust 2005"),
            ("Kettle 2004", "Ketle 2004"),
        ]
    )
    assert same == pytest.approx(1, abs=1e-4)
    assert year < 0.9
    assert typo > 0.9


def test_likeness_does_not_depend_on_which_side_a_name_is() -> None:
    pairs = [*SAME, *OTHER]
    turned = likeness([(right, left) for left, right in pairs])
    assert likeness(pairs) == pytest.approx(turned, abs=0.02)


def test_the_figures_of_the_benchmark() -> None:
    pairs = [Pair("a", "a", True), Pair("b", "b", True), Pair("c", "d", False), Pair("e", "f", False)]
    scores = [0.9, 0.6, 0.8, 0.1]
    assert counted(pairs, scores, 0.7) == Counts(right=1, wrong=1, missed=1)
    assert figures(pairs, scores) == {
        "f1": 0.5,
        "precision": 0.5,
        "recall": 0.5,
        "best_f1": 0.8,
        "best_threshold": 0.6,
    }
    assert top_one(["Acme Inc", "Globx", "Same"], ["Acme", "Globex", "Same"]) == {"count": 3, "accuracy": 1.0}

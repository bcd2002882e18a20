"""Every comparison has a form on Spark, and what has none is refused; no cluster is needed to know."""

import pytest

from data_contracts.errors import ResolutionError
from pipelines.resolve.comparisons import COMPARISONS
from pipelines.resolve.spark.dialect import spark_functions, spark_script, spark_sql

CONDITIONS = [
    condition
    for comparisons in COMPARISONS.values()
    for comparison in comparisons
    for condition in (comparison.absent, *(level.condition for level in comparison.levels))
]


def test_every_comparison_has_a_form_on_spark() -> None:
    written = [spark_sql(condition) for condition in CONDITIONS]
    created = {statement.split("(")[0].split()[-1] for statement in spark_functions(*written)}
    assert created >= {"alike_near", "alike_jaro_winkler_similarity", "alike_same_numbers", "alike_names_alike"}


def test_what_is_called_is_written_out() -> None:
    (statement,) = spark_functions(spark_sql("jaro_winkler_similarity(name_l, name_r) >= 0.9"))
    assert "winkler(" not in statement.split("RETURN", 1)[1]
    assert "jaro_sim(" in statement.lower()
    assert "word_alike" not in spark_script("names.sql")


def test_lengths_from_the_end_and_lists_that_overlap() -> None:
    assert spark_sql("left(a, -2) = left(b, -2)") == "LEFT(a, LENGTH(a) - 2) = LEFT(b, LENGTH(b) - 2)"
    assert spark_sql("list_has_any(a, b)") == "arrays_overlap(a, b)"
    assert spark_sql("length(a) // 10 >= 1") == "LENGTH(a) DIV 10 >= 1"


@pytest.mark.parametrize("condition", ["sound(a) = sound(b)", "hamming(a, b) < 2"])
def test_an_unknown_function_is_refused_by_name(condition: str) -> None:
    with pytest.raises(ResolutionError) as refused:
        spark_sql(condition)
    assert condition.split("(")[0] in str(refused.value)
    assert "matching.engine: duckdb" in str(refused.value)

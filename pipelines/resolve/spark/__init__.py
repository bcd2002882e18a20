"""Scoring on a Spark cluster: the same pairs, comparisons and model, in Spark's SQL. It blocks and decides nothing."""

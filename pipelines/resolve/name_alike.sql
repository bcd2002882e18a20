-- How alike the names of each pair are, word by word, each word with its weight; computed once per pair because the
-- comparison asks several times. A misspelt word finds its partner and counts with the smaller of the two weights.
CREATE OR REPLACE TEMP TABLE _name_alike AS
WITH partnered AS (
    SELECT p.l, p.r, a.weights, b.words AS other_words, b.weights AS other_weights,
        list_transform(list_zip(a.words, a.weights), lambda x: list_max(list_transform(list_zip(b.words, b.weights),
            lambda y: {'s': (word_alike(x[1], y[1]) * least(x[2], y[2]))::FLOAT, 'w': y[1]}))) AS partners
    FROM {pairs} p JOIN _left_words a ON a.n = p.l JOIN _right_words b ON b.n = p.r
), summed AS (
    SELECT l, r, list_sum(list_transform(partners, lambda x: x.s)) AS shared,
        list_sum(list_transform(list_zip(partners, weights), lambda x: CASE WHEN x[1].s > 0 THEN 0 ELSE x[2] END)) AS alone,
        list_transform(list_filter(partners, lambda x: x.s > 0), lambda x: x.w) AS taken, other_words, other_weights
    FROM partnered
), both_sides AS (
    SELECT l, r, shared, alone, list_sum(list_transform(list_zip(other_words, other_weights),
        lambda x: CASE WHEN list_contains(taken, x[1]) THEN 0 ELSE x[2] END)) AS alone_right
    FROM summed
)
SELECT l, r, shared::FLOAT AS shared, (2 * shared / (2 * shared + alone + alone_right + 1e-6))::FLOAT AS alike,
    (shared / (shared + least(alone, alone_right) + 1e-6))::FLOAT AS contained
FROM both_sides;
CREATE OR REPLACE TEMP TABLE _left_names AS
SELECT l AS n, map(list(r ORDER BY r), list({'alike': alike, 'contained': contained, 'shared': shared} ORDER BY r)) AS names
FROM _name_alike GROUP BY l;

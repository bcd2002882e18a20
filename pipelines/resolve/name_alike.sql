-- How alike the names of each pair are, word by word, each word with its weight; computed once per pair because the
-- comparison asks several times. A misspelt word finds its partner and counts with the smaller of the two weights, as
-- far as it is alike. What is left on both sides is compared once more, written as one word: that finds words run
-- together or torn apart.
-- Another name of the one is the name of the other: as alike as names can be.
CREATE OR REPLACE TEMP TABLE _renamed AS
SELECT p.l, p.r, 1 AS also FROM {pairs} p JOIN (FROM _right WHERE len(other_names) > 0) b ON b.n = p.r JOIN _left a ON a.n = p.l
WHERE list_contains(b.other_names, a.name_key) OR list_has_any(b.other_names, a.other_names)
UNION
SELECT p.l, p.r, 1 FROM {pairs} p JOIN (FROM _left WHERE len(other_names) > 0) a ON a.n = p.l JOIN _right b ON b.n = p.r
WHERE list_contains(a.other_names, b.name_key);
CREATE OR REPLACE TEMP TABLE _name_alike AS
WITH partnered AS (
    SELECT p.l, p.r, a.words, a.weights, b.words AS other_words, b.weights AS other_weights,
        list_transform(list_zip(a.words, a.weights), lambda x: list_max(list_transform(list_zip(b.words, b.weights),
            lambda y: {'s': (word_alike(x[1], y[1]) * least(x[2], y[2]))::FLOAT, 'w': y[1]}))) AS partners,
        CASE WHEN array_to_string(a.words, '') = array_to_string(b.words, '') THEN 1 ELSE 0 END AS whole
    FROM {pairs} p JOIN _left_words a ON a.n = p.l JOIN _right_words b ON b.n = p.r
), one_side AS (
    SELECT l, r, whole, list_sum(list_transform(partners, lambda x: x.s)) AS shared,
        list_filter(list_zip(words, weights, partners), lambda x: x[3].s = 0) AS rest,
        list_filter(list_zip(other_words, other_weights), lambda x: NOT list_contains(
            list_transform(list_filter(partners, lambda y: y.s > 0), lambda y: y.w), x[1])) AS other_rest
    FROM partnered
), left_over AS (
    SELECT l, r, whole, shared,
        coalesce(list_sum(list_transform(rest, lambda x: x[2])), 0) AS alone,
        coalesce(list_sum(list_transform(other_rest, lambda x: x[2])), 0) AS alone_right,
        CASE WHEN len(rest) > 0 AND len(other_rest) > 0 THEN rest_alike(
            array_to_string(list_transform(rest, lambda x: x[1]), ''),
            array_to_string(list_transform(other_rest, lambda x: x[1]), '')) ELSE 0 END AS found
    FROM one_side
), both_sides AS (
    SELECT l, r, CASE WHEN whole = 1 THEN shared + greatest(alone, alone_right) ELSE shared + found * least(alone, alone_right) END AS shared,
        CASE WHEN found > 0 OR whole = 1 THEN 0 ELSE alone END AS alone,
        CASE WHEN found > 0 OR whole = 1 THEN 0 ELSE alone_right END AS alone_right
    FROM left_over
)
SELECT l, r, CASE WHEN also = 1 THEN greatest(shared, 1) ELSE shared END::FLOAT AS shared,
    CASE WHEN also = 1 THEN 1 ELSE 2 * shared / (2 * shared + alone + alone_right + 1e-6) END::FLOAT AS alike,
    CASE WHEN also = 1 THEN 1 ELSE shared / (shared + least(alone, alone_right) + 1e-6) END::FLOAT AS contained
FROM both_sides LEFT JOIN _renamed USING (l, r);
CREATE OR REPLACE TEMP TABLE _left_names AS
SELECT l AS n, map(list(r ORDER BY r), list({'alike': alike, 'contained': contained, 'shared': shared} ORDER BY r)) AS names
FROM _name_alike GROUP BY l;

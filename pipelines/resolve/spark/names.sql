-- How alike the names of each pair are, word by word: ../name_alike.sql on Spark, over the views seen_left, seen_right
-- (with words, weights and other_names) and pairs.
WITH together AS (
    SELECT p.l, p.r, a.words, a.weights, b.words AS other_words, b.weights AS other_weights,
        coalesce(array_contains(b.other_names, a.name_key), false) OR coalesce(arrays_overlap(b.other_names, a.other_names), false)
            OR coalesce(array_contains(a.other_names, b.name_key), false) AS also
    FROM pairs p JOIN seen_left a ON a.n = p.l JOIN seen_right b ON b.n = p.r
    WHERE a.words IS NOT NULL AND b.words IS NOT NULL
), partnered AS (
    SELECT *, array_join(words, '') = array_join(other_words, '') AS whole,
        transform(arrays_zip(words, weights), x -> array_max(transform(arrays_zip(other_words, other_weights),
            y -> named_struct('s', CAST(word_alike(x.words, y.other_words) * least(x.weights, y.other_weights) AS FLOAT),
                'w', y.other_words)))) AS partners
    FROM together
), one_side AS (
    SELECT l, r, also, whole, aggregate(partners, 0.0D, (s, x) -> s + x.s) AS shared,
        filter(arrays_zip(words, weights, partners), x -> x.partners.s = 0) AS rest,
        filter(arrays_zip(other_words, other_weights),
            x -> NOT exists(partners, y -> y.s > 0 AND y.w = x.other_words)) AS other_rest
    FROM partnered
), left_over AS (
    SELECT l, r, also, whole, shared, aggregate(rest, 0.0D, (s, x) -> s + x.weights) AS alone,
        aggregate(other_rest, 0.0D, (s, x) -> s + x.other_weights) AS alone_right,
        CASE WHEN size(rest) > 0 AND size(other_rest) > 0 THEN rest_alike(
            array_join(transform(rest, x -> x.words), ''), array_join(transform(other_rest, x -> x.other_words), ''))
            ELSE 0.0D END AS found
    FROM one_side
), both_sides AS (
    SELECT l, r, also,
        CASE WHEN whole THEN shared + greatest(alone, alone_right) ELSE shared + found * least(alone, alone_right) END AS shared,
        CASE WHEN found > 0 OR whole THEN 0.0D ELSE alone END AS alone,
        CASE WHEN found > 0 OR whole THEN 0.0D ELSE alone_right END AS alone_right
    FROM left_over
)
SELECT l, r, CAST(CASE WHEN also THEN greatest(shared, 1.0D) ELSE shared END AS FLOAT) AS shared,
    CAST(CASE WHEN also THEN 1.0D ELSE 2 * shared / (2 * shared + alone + alone_right + 1e-6D) END AS FLOAT) AS alike,
    CAST(CASE WHEN also THEN 1.0D ELSE shared / (shared + least(alone, alone_right) + 1e-6D) END AS FLOAT) AS contained,
    CAST(CASE WHEN also THEN 0.0D ELSE least(alone, alone_right) END AS FLOAT) AS own
FROM both_sides

-- The words of each record of one side with their weights, as parallel lists in the order of the name. The first four,
-- and nearly all names have no more, also as columns of their own: those are compared several times as fast as lists.
-- w: words, g: weights, z: likely lengths; same: a hash of the words in whatever order; joined: of the words run
-- together; telling: the rarest words.
CREATE OR REPLACE TEMP TABLE _{side}_words AS
WITH short AS (
    SELECT t.n, name_tokens AS words, name_tokens[1] AS w1, name_tokens[2] AS w2, name_tokens[3] AS w3, name_tokens[4] AS w4,
        coalesce(a.weight, 1.0)::FLOAT AS g1, CASE WHEN w2 IS NOT NULL THEN coalesce(b.weight, 1.0) END::FLOAT AS g2,
        CASE WHEN w3 IS NOT NULL THEN coalesce(c.weight, 1.0) END::FLOAT AS g3,
        CASE WHEN w4 IS NOT NULL THEN coalesce(d.weight, 1.0) END::FLOAT AS g4
    FROM _{side} t
    LEFT JOIN _word a ON a.word = name_tokens[1] LEFT JOIN _word b ON b.word = name_tokens[2]
    LEFT JOIN _word c ON c.word = name_tokens[3] LEFT JOIN _word d ON d.word = name_tokens[4]
    WHERE len(name_tokens) BETWEEN 1 AND 4
), long AS (
    SELECT n, list(word ORDER BY place) AS words, list(weight ORDER BY place) AS weights,
        list(word ORDER BY weight DESC, word)[1:4] AS telling, sum(weight)::FLOAT AS total
    FROM (
        SELECT t.n, t.word, t.place, coalesce(w.weight, 1.0)::FLOAT AS weight
        FROM (SELECT n, unnest(name_tokens) AS word, generate_subscripts(name_tokens, 1)::INTEGER AS place
            FROM _{side} WHERE len(name_tokens) > 4) t
        LEFT JOIN _word w USING (word)
    ) GROUP BY n
)
SELECT n, words, [g1, g2, g3, g4][1:len(words)] AS weights, words AS telling,
    (g1::DOUBLE + coalesce(g2, 0)::DOUBLE + coalesce(g3, 0)::DOUBLE + coalesce(g4, 0)::DOUBLE)::FLOAT AS total,
    w1, w2, w3, w4, g1, g2, g3, g4, likely_length(w1) AS z1, likely_length(w2) AS z2, likely_length(w3) AS z3, likely_length(w4) AS z4,
    hash(list_sort(words)) AS same, hash(array_to_string(words, '')) AS joined
FROM short
UNION ALL BY NAME
SELECT n, words, weights, telling, total, hash(list_sort(words)) AS same, hash(array_to_string(words, '')) AS joined FROM long;

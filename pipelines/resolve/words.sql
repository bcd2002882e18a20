-- The words of each record of one side with their weights, as rows and as parallel lists in the order of the name.
CREATE OR REPLACE TEMP TABLE _{side}_word AS
SELECT t.n, t.word, t.place, coalesce(w.weight, 1.0)::FLOAT AS weight
FROM (SELECT n, unnest(name_tokens) AS word, generate_subscripts(name_tokens, 1)::INTEGER AS place FROM _{side}) t
LEFT JOIN _word w USING (word);
CREATE OR REPLACE TEMP TABLE _{side}_words AS
SELECT n, list(word ORDER BY place) AS words, list(weight ORDER BY place) AS weights,
    list(word ORDER BY weight DESC, word)[1:4] AS telling, sum(weight)::FLOAT AS total
FROM _{side}_word GROUP BY n;

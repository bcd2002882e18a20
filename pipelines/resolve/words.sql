-- The words of each record of one side with their weights, as rows and as parallel lists.
CREATE OR REPLACE TEMP TABLE _{side}_word AS
SELECT t.n, t.word, coalesce(w.weight, 1.0)::FLOAT AS weight
FROM (SELECT DISTINCT n, unnest(name_tokens) AS word FROM _{side}) t LEFT JOIN _word w USING (word);
CREATE OR REPLACE TEMP TABLE _{side}_words AS
SELECT n, list(word ORDER BY word) AS words, list(weight ORDER BY word) AS weights,
    list(word ORDER BY weight DESC, word)[1:4] AS telling, sum(weight)::FLOAT AS total
FROM _{side}_word GROUP BY n;

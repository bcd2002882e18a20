-- How telling each word of a name is: ln(N / entities that have it) / ln(N), with N the entities of the reference.
-- 1: one entity has it; 0: all have it. A word no entity has counts as 1. Weights that two names share and that
-- sum to 1 or more mean that less than one entity shares them by chance.
CREATE OR REPLACE TEMP TABLE _word AS
SELECT word, count(*) AS entities,
    greatest(0.02, ln($entities / count(*)) / ln($entities))::FLOAT AS weight
FROM (SELECT DISTINCT n, unnest(name_tokens) AS word FROM _right) GROUP BY word;

-- The words of each record of one side with their weights, one row each, no word twice; and every two of its telling words
-- as one number, whichever comes first.
CREATE OR REPLACE TEMP TABLE _{side}_word AS
SELECT n, w1 AS word, g1 AS weight FROM _{side}_words WHERE w1 IS NOT NULL
UNION ALL SELECT n, w2, g2 FROM _{side}_words WHERE w2 <> w1
UNION ALL SELECT n, w3, g3 FROM _{side}_words WHERE w3 <> w1 AND w3 <> w2
UNION ALL SELECT n, w4, g4 FROM _{side}_words WHERE w4 <> w1 AND w4 <> w2 AND w4 <> w3
UNION ALL SELECT DISTINCT n, unnest(words), unnest(weights) FROM _{side}_words WHERE w1 IS NULL;
CREATE OR REPLACE TEMP TABLE _{side}_two AS
WITH telling AS (
    SELECT n, w1 AS a, CASE WHEN w2 <> w1 THEN w2 END AS b, CASE WHEN w3 <> w1 AND w3 <> w2 THEN w3 END AS c,
        CASE WHEN w4 <> w1 AND w4 <> w2 AND w4 <> w3 THEN w4 END AS d
    FROM _{side}_words WHERE w2 IS NOT NULL
    UNION ALL
    SELECT n, words[1], words[2], words[3], words[4]
    FROM (SELECT n, list_distinct(telling) AS words FROM _{side}_words WHERE w1 IS NULL)
)
SELECT n, either(a, b) AS pair FROM telling WHERE b IS NOT NULL
UNION ALL SELECT n, either(a, c) FROM telling WHERE c IS NOT NULL
UNION ALL SELECT n, either(b, c) FROM telling WHERE b IS NOT NULL AND c IS NOT NULL
UNION ALL SELECT n, either(a, d) FROM telling WHERE d IS NOT NULL
UNION ALL SELECT n, either(b, d) FROM telling WHERE b IS NOT NULL AND d IS NOT NULL
UNION ALL SELECT n, either(c, d) FROM telling WHERE c IS NOT NULL AND d IS NOT NULL;

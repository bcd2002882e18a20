-- The words of each record of one side with their weights, one row each.
CREATE OR REPLACE TEMP TABLE _{side}_word AS
SELECT n, unnest(words) AS word, unnest(weights) AS weight FROM _{side}_words;

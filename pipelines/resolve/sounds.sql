-- How the words of one side sound, each word once: the regular expressions are what block keys cost most.
CREATE OR REPLACE TEMP TABLE _{side}_sound AS
SELECT word, sound(word) AS sound
FROM (SELECT DISTINCT word FROM _{side}_word WHERE weight >= 0.5 AND length(word) >= 4);

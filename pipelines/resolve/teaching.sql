-- What a decision on an open pair would teach: how unsure the model is (bits of entropy), more where many open pairs
-- agree in the same way, less where people have accepted such pairs already. The second pair of one pattern
-- teaches less than the first, so that the head of the queue is not one question asked many times.
CREATE OR REPLACE TEMP TABLE _teaching AS
WITH open AS (
    SELECT c.l, c.r, hash({pattern}) AS pattern, greatest(least(c.match_probability, 1 - 1e-9), 1e-9) AS p
    FROM _considered c
    ANTI JOIN (SELECT l FROM _decided WHERE judgement <> 'negative') d ON d.l = c.l
    WHERE NOT c.settled AND c.match_probability BETWEEN 0.001 AND 0.999
), spoken AS (
    SELECT hash({pattern}) AS pattern, count(*) AS decisions
    FROM _considered c JOIN _decided d ON d.l = c.l AND d.r = c.r GROUP BY 1
), unsure AS (
    SELECT *, -(p * log2(p) + (1 - p) * log2(1 - p)) AS entropy FROM open
), placed AS (
    SELECT *, sum(entropy) OVER (PARTITION BY pattern) AS similar,
        row_number() OVER (PARTITION BY pattern ORDER BY entropy DESC, l, r) AS place
    FROM unsure
)
SELECT p.l, p.r, p.entropy * (1 + ln(1 + p.similar)) / sqrt(p.place + coalesce(s.decisions, 0)) AS teaching_value
FROM placed p LEFT JOIN spoken s USING (pattern)

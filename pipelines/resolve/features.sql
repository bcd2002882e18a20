-- What the model sees of the records that are in a pair.
CREATE OR REPLACE TEMP TABLE _{side}_seen AS
SELECT {columns}
FROM (SELECT * FROM _{side} SEMI JOIN (SELECT DISTINCT {key} AS n FROM {pairs}) USING (n)) s
LEFT JOIN _{side}_words w USING (n)
LEFT JOIN {names} k USING (n)
LEFT JOIN _rare_last a ON a.value = {last}
LEFT JOIN _rare_first b ON b.value = {first};

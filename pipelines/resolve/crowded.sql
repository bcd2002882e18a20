-- Rung keys that so many entities share that they single none out.
CREATE OR REPLACE TEMP TABLE _crowded AS SELECT h FROM _right_rung_key GROUP BY h HAVING count(*) > $most;

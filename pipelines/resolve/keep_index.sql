-- What a later small change needs of a run that looked at everything, beside the reference's keys: which records there
-- were, their keys, the rung that settled a record, and how rare the keys of its last candidate were, where it has as
-- many as are kept.
CREATE OR REPLACE TABLE _state.{object}_kept_record AS
SELECT l.n, l.id, hash(l.id, l.mark) AS sig, s.step, c.line
FROM {marked} l
LEFT JOIN (SELECT l AS n, min(step)::UTINYINT AS step FROM _rung_hit WHERE hits = 1 GROUP BY l) s ON s.n = l.n
LEFT JOIN (SELECT l AS n, min(shared_rarity) AS line FROM _pair GROUP BY l HAVING count(*) >= $most) c ON c.n = l.n;
CREATE OR REPLACE TABLE _state.{object}_kept_record_key AS
SELECT h, n FROM _left_key WHERE n NOT IN (SELECT l FROM _rung_hit WHERE hits = 1);
CREATE OR REPLACE TABLE _state.{object}_kept_record_rung AS SELECT step, h, n FROM _left_rung_key;
CREATE OR REPLACE TABLE _state.{object}_kept_pair AS
SELECT l, r, false AS hopeless FROM _considered UNION ALL SELECT l, r, true FROM _hopeless;
CREATE OR REPLACE TABLE _state.{object}_kept_asked AS SELECT id::VARCHAR AS id FROM _asked;
CREATE OR REPLACE TABLE _state.{object}_kept_departed AS SELECT id, sig FROM _departed_now;

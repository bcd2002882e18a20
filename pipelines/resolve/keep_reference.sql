-- The reference's rows and their keys: what a later small change needs, and any run on the same reference with the same
-- model, however much else changed.
CREATE OR REPLACE TABLE _state.{object}_kept_entity AS
SELECT r.n, r.id, hash(r.id, r.mark) AS sig FROM _right r;
CREATE OR REPLACE TABLE _state.{object}_kept_entity_key AS SELECT h, kind, n FROM _right_key;
CREATE OR REPLACE TABLE _state.{object}_kept_entity_rung AS SELECT step, h, n FROM _right_rung_key;

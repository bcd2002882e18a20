-- The entities that share a rung's key with a record that is looked at, as they are now.
CREATE OR REPLACE TEMP TABLE _right_rung_key AS
SELECT k.step, k.h, k.n FROM _state.{object}_kept_entity_rung k
SEMI JOIN _left_rung_key w ON w.h = k.h ANTI JOIN _changed_right c ON c.n = k.n
UNION ALL SELECT k.step, k.h, k.n FROM _new_rung_key k SEMI JOIN _left_rung_key w ON w.h = k.h;
CREATE OR REPLACE TEMP TABLE _needed AS
SELECT n FROM _right_rung_key ANTI JOIN (SELECT h FROM _right_rung_key GROUP BY h HAVING count(*) > $most) USING (h)
UNION SELECT r FROM _decided UNION SELECT r FROM _inherited
UNION SELECT e.n FROM crosswalk.{object} x SEMI JOIN _written w ON w.id = x.salesforce_id JOIN _right_id e ON e.id = x.reference_id;

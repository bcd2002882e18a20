-- The kept index after a small change: the rows of the records looked at and of the entities that changed, anew.
DELETE FROM _state.{object}_kept_record WHERE n IN (SELECT n FROM _looked_at);
INSERT INTO _state.{object}_kept_record
SELECT l.n, l.id, hash(l.id, l.mark), s.step, c.line
FROM {marked} l
LEFT JOIN (SELECT l AS n, min(step)::UTINYINT AS step FROM _rung_hit WHERE hits = 1 GROUP BY l) s ON s.n = l.n
LEFT JOIN (SELECT l AS n, min(shared_rarity) AS line FROM _pair GROUP BY l HAVING count(*) >= $most) c ON c.n = l.n;
DELETE FROM _state.{object}_kept_entity WHERE n IN (SELECT n FROM _changed_right);
INSERT INTO _state.{object}_kept_entity SELECT n, id, sig FROM _changed_right WHERE is_now;
DELETE FROM _state.{object}_kept_record_key WHERE n IN (SELECT n FROM _looked_at);
INSERT INTO _state.{object}_kept_record_key SELECT h, n FROM _left_key;
DELETE FROM _state.{object}_kept_entity_key WHERE n IN (SELECT n FROM _changed_right);
INSERT INTO _state.{object}_kept_entity_key SELECT h, kind, n FROM _new_key;
DELETE FROM _state.{object}_kept_record_rung WHERE n IN (SELECT n FROM _looked_at);
INSERT INTO _state.{object}_kept_record_rung SELECT step, h, n FROM _left_rung_key;
DELETE FROM _state.{object}_kept_entity_rung WHERE n IN (SELECT n FROM _changed_right);
INSERT INTO _state.{object}_kept_entity_rung SELECT step, h, n FROM _new_rung_key;
DELETE FROM _state.{object}_kept_pair WHERE l IN (SELECT n FROM _looked_at);
INSERT INTO _state.{object}_kept_pair
SELECT l, r, false FROM _considered UNION ALL SELECT l, r, true FROM _hopeless;
DELETE FROM _state.{object}_kept_asked;
INSERT INTO _state.{object}_kept_asked SELECT id FROM _asked;
DELETE FROM _state.{object}_kept_departed;
INSERT INTO _state.{object}_kept_departed SELECT id, sig FROM _departed_now;

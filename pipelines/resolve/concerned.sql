-- Records that a change can concern: they changed themselves, or an entity did that is, was or becomes one of their
-- candidates, or shares a rung's key with them; or a key of theirs tells more or less now; or people decided on them.
-- A hopeless candidate concerns them where it shares other keys with them now, or is hopeless no more: that is told by
-- weighing the pair again (_again).
CREATE OR REPLACE TEMP TABLE _concerned AS
SELECT p.l AS n FROM _state.{object}_kept_pair p SEMI JOIN _changed_right c ON c.n = p.r WHERE NOT p.hopeless
UNION
SELECT p.l FROM _state.{object}_kept_pair p JOIN _moved_key m ON m.n = p.r
JOIN _state.{object}_kept_record_key k ON k.h = m.h AND k.n = p.l WHERE p.hopeless
UNION
SELECT k.n FROM _state.{object}_kept_record_key k SEMI JOIN (SELECT h FROM _resized WHERE elsewhere OR cut) e USING (h)
UNION
SELECT n FROM (
    SELECT k.n, c.n AS r, sum(s.rarity) AS shared_rarity, bool_or(m.h IS NOT NULL) AS moved
    FROM _new_key c JOIN (SELECT h, rarity FROM _resized WHERE rarity IS NOT NULL) s USING (h)
    LEFT JOIN _moved_key m ON m.h = c.h AND m.n = c.n
    JOIN _state.{object}_kept_record_key k USING (h) GROUP BY ALL
) JOIN _state.{object}_kept_record r USING (n) WHERE moved AND (r.line IS NULL OR shared_rarity >= r.line)
UNION
SELECT k.n FROM (
    SELECT DISTINCT step, h FROM (FROM _new_rung_key UNION ALL FROM _old_rung_key)
    -- A key that was and stays too common for its rung concerns nobody.
    ANTI JOIN (
        SELECT e.h FROM _state.{object}_kept_entity_rung e SEMI JOIN _new_rung_key USING (h)
        LEFT JOIN (SELECT h, count(*) AS old FROM _old_rung_key GROUP BY h) o ON o.h = e.h
        GROUP BY e.h, o.old HAVING count(*) - coalesce(o.old, 0) > $most
    ) USING (h)
) c
JOIN _state.{object}_kept_record_rung k USING (step, h)
JOIN _state.{object}_kept_record r ON r.n = k.n AND (r.step IS NULL OR r.step >= c.step)
UNION
SELECT n FROM _state.{object}_kept_record JOIN _to_ask USING (id);
CREATE OR REPLACE TEMP TABLE _again AS
SELECT p.l, p.r FROM _state.{object}_kept_pair p SEMI JOIN (FROM _changed_right WHERE is_now) c ON c.n = p.r
ANTI JOIN _concerned d ON d.n = p.l ANTI JOIN _changed_left x ON x.n = p.l WHERE p.hopeless;

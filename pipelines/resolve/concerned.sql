-- Records that a change can concern: they changed themselves, or an entity did that is, was or becomes one of their
-- candidates, or shares a rung's key with them; or a key of theirs tells more or less now; or people decided on them.
CREATE OR REPLACE TEMP TABLE _concerned AS
SELECT p.l AS n FROM _state.{object}_kept_pair p SEMI JOIN _changed_right c ON c.n = p.r
UNION
SELECT k.n FROM _state.{object}_kept_record_key k SEMI JOIN (SELECT h FROM _resized WHERE elsewhere OR cut) e USING (h)
UNION
SELECT n FROM (
    SELECT k.n, c.n AS r, sum(s.rarity) AS shared_rarity
    FROM _new_key c JOIN (SELECT h, rarity FROM _resized WHERE rarity IS NOT NULL) s USING (h)
    JOIN _state.{object}_kept_record_key k USING (h) GROUP BY ALL
) JOIN _state.{object}_kept_record r USING (n) WHERE r.line IS NULL OR shared_rarity >= r.line
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
CREATE OR REPLACE TEMP TABLE _looked_at AS
SELECT n, id, is_now FROM _changed_left
UNION ALL
SELECT k.n, k.id, true FROM _state.{object}_kept_record k SEMI JOIN _concerned c ON c.n = k.n ANTI JOIN _changed_left x ON x.n = k.n;
-- Heirs and those they inherit from are written together.
CREATE OR REPLACE TEMP TABLE _written AS
SELECT id FROM _looked_at
UNION SELECT id FROM _gone_now
UNION SELECT d.salesforce_id FROM _departed d SEMI JOIN _looked_at h ON h.id = d.merged_into
-- Rows of records that came or went without a live one.
UNION SELECT "Id" FROM salesforce.{object} s ANTI JOIN crosswalk.{object} x ON x.salesforce_id = s."Id" WHERE {apart}
UNION SELECT salesforce_id FROM crosswalk.{object} x ANTI JOIN salesforce.{object} s ON s."Id" = x.salesforce_id WHERE {apart};

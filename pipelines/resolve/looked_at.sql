-- The records a small change looks at again, and those whose rows are made anew.
CREATE OR REPLACE TEMP TABLE _looked_at AS
SELECT n, id, is_now FROM _changed_left
UNION ALL
SELECT k.n, k.id, true FROM _state.{object}_kept_record k SEMI JOIN (FROM _concerned UNION FROM _hopeful) c ON c.n = k.n
ANTI JOIN _changed_left x ON x.n = k.n;
-- Heirs and those they inherit from are written together.
CREATE OR REPLACE TEMP TABLE _written AS
SELECT id FROM _looked_at
UNION SELECT id FROM _gone_now
UNION SELECT d.salesforce_id FROM _departed d SEMI JOIN _looked_at h ON h.id = d.merged_into
-- Rows of records that came or went without a live one.
UNION SELECT "Id" FROM salesforce.{object} s ANTI JOIN crosswalk.{object} x ON x.salesforce_id = s."Id" WHERE {apart}
UNION SELECT salesforce_id FROM crosswalk.{object} x ANTI JOIN salesforce.{object} s ON s."Id" = x.salesforce_id WHERE {apart};

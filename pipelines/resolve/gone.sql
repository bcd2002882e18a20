-- Departed records that are so since the last run, or in another way; their heirs, and whoever was decided on before, are
-- looked at again.
CREATE OR REPLACE TEMP TABLE _gone_now AS
SELECT id, merged_into FROM _departed_now d ANTI JOIN _state.{object}_kept_departed k ON k.id = d.id AND k.sig = d.sig;
CREATE OR REPLACE TEMP TABLE _to_ask AS
SELECT id FROM _asked UNION SELECT id FROM _state.{object}_kept_asked
UNION SELECT merged_into FROM _gone_now WHERE merged_into IS NOT NULL;

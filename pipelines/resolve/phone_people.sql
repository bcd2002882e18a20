-- Numbers that several people of one side have: switchboards and families.
CREATE OR REPLACE TEMP TABLE _{side}_phone AS
SELECT phone, count(*) AS people FROM standard.{table} WHERE phone IS NOT NULL GROUP BY phone HAVING count(*) > 1;

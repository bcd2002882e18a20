-- Values as one number: none where a value is missing. either: of two that differ, whichever comes first.
CREATE OR REPLACE TEMP MACRO single(x) AS CASE WHEN x <> '' THEN hash(x) END;
CREATE OR REPLACE TEMP MACRO joint(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN hash(a, b) END;
CREATE OR REPLACE TEMP MACRO either(a, b) AS CASE WHEN a < b THEN hash(a, b) ELSE hash(b, a) END;

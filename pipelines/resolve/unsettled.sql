-- The candidates of records that a rung has linked were wanted for training alone: which records were drawn for that must
-- not show in what is published.
DELETE FROM _pair WHERE l IN (SELECT l FROM _anchor);
DELETE FROM _paired WHERE NOT otherwise AND l IN (SELECT l FROM _anchor);
DELETE FROM _hopeless WHERE l IN (SELECT l FROM _anchor);
UPDATE _paired SET kinds = 0 WHERE kinds > 0 AND l IN (SELECT l FROM _anchor);

-- The candidates of records that a rung has linked were wanted for training alone: which records were drawn for that must
-- not show in what is published.
DELETE FROM _pair WHERE l IN (SELECT l FROM _anchor);

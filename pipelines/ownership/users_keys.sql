-- What two users are compared by. In a sandbox Salesforce adds .invalid to every e-mail address. A name loses case,
-- accents and doubled blanks; "Eide, Una" is "una eide".
CREATE OR REPLACE TEMP MACRO _email_key(x) AS
  nullif(regexp_replace(lower(trim(x)), '\.invalid$', ''), '');
CREATE OR REPLACE TEMP MACRO _in_order(x) AS
  CASE WHEN regexp_matches(x, '^[^,]+,[^,]+$') THEN split_part(x, ',', 2) || ' ' || split_part(x, ',', 1) ELSE x END;
CREATE OR REPLACE TEMP MACRO _name_key(x) AS
  nullif(trim(regexp_replace(
    replace(replace(replace(translate(strip_accents(lower(_in_order(x))), 'øłđðı', 'olddi'), 'ß', 'ss'), 'æ', 'ae'),
      'œ', 'oe'),
    '\s+', ' ', 'g')), '');

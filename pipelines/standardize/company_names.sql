-- A company's name, cleaned step by step: each step is given a column (see macros.sql). {rows} is passed through; it has
-- the name in ASCII as name_text. Adds name_clean, core (without legal forms, words written out) and words.
WITH lowered AS (
    SELECT *, lower(name_text) AS name_clean FROM ({rows})
), without_note AS (
    SELECT * REPLACE (without_notes(name_clean) AS name_clean) FROM lowered
), marked AS (
    SELECT * REPLACE (clean_text(without_marker(name_clean)) AS name_clean) FROM without_note
), named AS (
    SELECT * REPLACE (known_company(name_clean) AS name_clean) FROM marked
), joined AS (
    -- SC is a company of Romania only where its legal form stands at the end.
    SELECT *, close_and(CASE WHEN starts_with(name_clean, 'sc ') THEN regexp_replace(name_clean, '^sc (.+ (?:srl|sa))$', '\1') ELSE name_clean END) AS core FROM named
), without_form AS (
    SELECT * REPLACE (without_forms(core) AS core) FROM joined
), without_edge AS (
    SELECT * REPLACE (close_initials(without_edges(core)) AS core) FROM without_form
), in_words AS (
    SELECT * REPLACE (standard_words(core) AS core) FROM without_edge
), in_numbers AS (
    SELECT * REPLACE (standard_numbers(core) AS core) FROM in_words
)
SELECT *, name_words(core) AS words FROM in_numbers

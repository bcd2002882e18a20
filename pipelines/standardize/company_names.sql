-- A company's name, cleaned step by step: each step is given a column (see macros.sql). {rows} is passed through; it has
-- the name in ASCII as name_text. Adds name_clean, core (without legal forms, words written out), telling (its words
-- that say something) and words (those, each once; all of them where none says something).
WITH lowered AS (
    SELECT *, lower(name_text) AS name_clean FROM ({rows})
), without_note AS (
    SELECT * REPLACE (without_notes(name_clean) AS name_clean) FROM lowered
), unmarked AS (
    SELECT * REPLACE (without_marker(name_clean) AS name_clean) FROM without_note
), cleaned AS (
    SELECT * REPLACE (clean_text(name_clean) AS name_clean) FROM unmarked
), named AS (
    SELECT * REPLACE (known_company(name_clean) AS name_clean) FROM cleaned
), joined AS (
    -- SC is a company of Romania only where its legal form stands at the end.
    SELECT *, close_and(CASE WHEN starts_with(name_clean, 'sc ') THEN regexp_replace(name_clean, '^sc (.+ (?:srl|sa))$', '\1') ELSE name_clean END) AS core FROM named
), without_form AS (
    SELECT * REPLACE (without_forms(core) AS core) FROM joined
), without_edge AS (
    SELECT * REPLACE (CASE WHEN has_edge(core) THEN without_edges(core) ELSE core END AS core) FROM without_form
), closed AS (
    SELECT * REPLACE (close_initials(core) AS core) FROM without_edge
), in_words AS (
    SELECT * REPLACE (standard_words(core) AS core) FROM closed
), in_numbers AS (
    SELECT * REPLACE (standard_numbers(core) AS core) FROM in_words
), told AS (
    SELECT *, telling_words(core) AS telling FROM in_numbers
)
SELECT *, each_once(or_all_words(telling, core)) AS words FROM told

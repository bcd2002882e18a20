-- How one value is cleaned. Every macro takes transliterated (ASCII) text and returns NULL for nothing.
-- Names in curly braces are patterns built from the word lists (lookups.py).

-- Lower case, punctuation to blanks; dotted initials closed up (s.a. → sa), "&" and "+" read as "and",
-- an apostrophe lost in an encoding (children?s) mended.
CREATE OR REPLACE TEMP MACRO clean_text(x) AS nullif(trim(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
    regexp_replace(lower(x), '[&+]', ' and ', 'g'),
    '([a-z])\?s\b', '\1s', 'g'),
    '[''`]', '', 'g'),
    '\b([a-z])\.', '\1', 'g'),
    '[^a-z0-9]+', ' ', 'g')), '');

-- What people type when they have nothing to type.
CREATE OR REPLACE TEMP MACRO known(x) AS CASE WHEN regexp_full_match(x,
    '(?:test(?: ?(?:account|company|contact|lead|user|record|test|corp|inc))?(?: ?\d+)?|unknown|unbekannt|inconnu|desconocido|not provided|not available|not applicable|not known|not given|no name|no company|no last ?name|no first ?name|none|null|nil|nan|n a|tbd|tba|to be determined|undefined|unspecified|unassigned|anonymous|private|self|self employed|individual|x{{2,}}|z{{3,}}|asdf(?:asdf)*|qwerty|dummy|blank|empty|missing|fake|sample|delete|do not use|0+)')
    THEN NULL ELSE x END;

-- Initials written apart are one word: "j p morgan" → "jp morgan".
CREATE OR REPLACE TEMP MACRO close_initials(x) AS regexp_replace(regexp_replace(regexp_replace(x,
    '\b([a-z]) ([a-z]) ([a-z]) ([a-z])\b', '\1\2\3\4', 'g'),
    '\b([a-z]) ([a-z]) ([a-z])\b', '\1\2\3', 'g'),
    '\b([a-z]) ([a-z])\b', '\1\2', 'g');

CREATE OR REPLACE TEMP MACRO squeeze(x) AS nullif(trim(regexp_replace(x, ' +', ' ', 'g')), '');

-- A company's name without its legal forms, wherever they stand; never emptied.
CREATE OR REPLACE TEMP MACRO without_forms(x) AS coalesce(squeeze({without_forms}), x);
CREATE OR REPLACE TEMP MACRO without_edges(x) AS coalesce(squeeze(regexp_replace(regexp_replace(regexp_replace(x,
    '{legal_end}', ''), '{legal_start}', ''), '^(?:the )+|(?: and)+$| the$', '', 'g')), x);
CREATE OR REPLACE TEMP MACRO name_core(x) AS close_initials(without_edges(without_forms(x)));

CREATE OR REPLACE TEMP MACRO telling_words(x) AS list_filter(string_split(x, ' '), lambda w: w NOT IN
    ('the', 'and', 'of', 'und', 'et', 'y', 'e', 'de', 'la', 'du', 'des', 'der', 'die', 'das', 'for', 'a', ''));
-- The words of a name without those that say nothing, each once, in their order; never emptied.
CREATE OR REPLACE TEMP MACRO each_once(words) AS list_filter(words, lambda w, i: list_position(words, w) = i);
CREATE OR REPLACE TEMP MACRO name_words(x) AS CASE WHEN x IS NULL THEN NULL ELSE
    each_once(coalesce(nullif(telling_words(x), []), string_split(x, ' '))) END;
CREATE OR REPLACE TEMP MACRO name_key(x) AS array_to_string(list_sort(name_words(x)), ' ');
CREATE OR REPLACE TEMP MACRO initials(x) AS CASE WHEN len(telling_words(x)) >= 3
    THEN array_to_string(list_transform(telling_words(x), lambda w: w[1]), '') END;

-- The host of a web address or nothing when the text is none ("Yes", "see notes").
CREATE OR REPLACE TEMP MACRO web_host(x) AS nullif(regexp_extract(lower(trim(x)),
    '^(?:[a-z]+:/*)?(?:[^/@\s]*@)?(?:www\d?\.)?([^\s/:?#@,;]+\.[^\s/:?#@,;.\d][^\s/:?#@,;.]+)\.?(?:[/:?#,;\s]|$)', 1), '');

-- Sandbox copies append .invalid; an address before plus-addressing is the same mailbox.
CREATE OR REPLACE TEMP MACRO clean_email(x) AS nullif(regexp_extract(
    regexp_replace(regexp_replace(lower(trim(x)), '\.invalid$', ''), '\+[^@]*@', '@'),
    '^(?:mailto:)?([^@\s,;<>"]+@[^@\s,;<>"]+\.[a-z][a-z0-9-]+)$', 1), '');

-- Digits of a number, its plus kept, without extension and "(0)".
CREATE OR REPLACE TEMP MACRO dialled(x) AS regexp_replace(regexp_replace(regexp_replace(lower(x),
    '(?:ext|x|#|poste|durchwahl|;|,).*$', ''), '\(0\)', ''), '[^0-9+]', '', 'g');
CREATE OR REPLACE TEMP MACRO digits(x) AS regexp_replace(x, '[^0-9]', '', 'g');
-- E.164 where the country is known or written, else the digits as dialled.
CREATE OR REPLACE TEMP MACRO to_phone(d, dialling, trunk) AS CASE
    WHEN d IS NULL OR length(digits(d)) < 6 OR length(digits(d)) > 16 THEN NULL
    WHEN regexp_full_match(digits(d), '(?:0+|1+|2+|3+|4+|5+|6+|7+|8+|9+|0?1234567890?|0?123456789)') THEN NULL
    WHEN starts_with(d, '+') THEN '+' || digits(d)
    WHEN starts_with(d, '00') AND length(d) > 9 THEN '+' || digits(d)[3:]
    WHEN dialling IS NULL OR length(d) < 8 THEN digits(d)
    WHEN starts_with(d, dialling) AND length(d) >= length(dialling) + 10 THEN '+' || digits(d)
    WHEN trunk <> '' AND starts_with(d, trunk) THEN '+' || dialling || digits(d)[length(trunk) + 1:]
    ELSE '+' || dialling || digits(d) END;
-- What two ways of writing one number share.
CREATE OR REPLACE TEMP MACRO phone_tail(x) AS right(digits(x), 9);

-- Streets: unit off, cross streets off, ordinals as numbers, types and directions dropped.
CREATE OR REPLACE TEMP MACRO street_unit(x) AS nullif(coalesce(
    nullif(regexp_extract(lower(x), '(?:\b(?:suite|ste|apt|apartment|unit|room|rm|level|lot|floor|fl)\b\.?|#)\s*#?\s*([a-z0-9-]+)', 1), ''),
    regexp_extract(lower(x), '\b(\d+)(?:st|nd|rd|th)? (?:floor|fl)\b', 1)), '');
CREATE OR REPLACE TEMP MACRO street_line(x) AS clean_text(regexp_replace(regexp_replace(regexp_replace(lower(x), '\s+', ' ', 'g'),
    '\b\d+(?:st|nd|rd|th)? (?:floor|fl)\b|(?:\b(?:suite|ste|apt|apartment|unit|room|rm|level|lot|floor)\b\.?|#)\s*#?\s*[a-z0-9-]+', ' ', 'g'),
    '\s(?:between|btw|bet|near|opposite|corner|at|off)\.?\s.*$', ''));
CREATE OR REPLACE TEMP MACRO plain_ordinals(x) AS regexp_replace({ordinals}, '\b(\d+)(?:st|nd|rd|th)\b', '\1', 'g');
CREATE OR REPLACE TEMP MACRO street_number(line) AS nullif(coalesce(
    nullif(regexp_extract(line, '^(\d+)[a-z]?(?: |$)', 1), ''), regexp_extract(line, '[a-z] (\d+)[a-z]?$', 1)), '');
CREATE OR REPLACE TEMP MACRO without_number(line) AS CASE
    WHEN regexp_matches(line, '^\d+[a-z]?(?: |$)') THEN regexp_replace(line, '^\d+[a-z]?(?: \d+[a-z]?)? ', '')
    ELSE regexp_replace(line, '([a-z]) \d+[a-z]?$', '\1') END;
CREATE OR REPLACE TEMP MACRO street_name(line) AS coalesce(
    squeeze(regexp_replace(plain_ordinals(without_number(line)), '{street_words}', ' ', 'g')),
    squeeze(without_number(line)));

CREATE OR REPLACE TEMP MACRO clean_city(x) AS squeeze(regexp_replace(regexp_replace(regexp_replace(regexp_replace(clean_text(x),
    '^st ', 'saint '), '^(?:n|north) ', 'north '), '^w ', 'west '), '^mt ', 'mount '));
CREATE OR REPLACE TEMP MACRO clean_postal_code(x, country) AS CASE
    WHEN regexp_full_match(coalesce(x, ''), '[\s0-]*') THEN NULL
    WHEN regexp_full_match(trim(x), '\d{{5}}-?\d{{4}}') THEN trim(x)[1:5]
    WHEN country = 'US' AND regexp_full_match(trim(x), '\d{{4}}') THEN '0' || trim(x)
    ELSE nullif(upper(regexp_replace(x, '[^A-Za-z0-9]', '', 'g')), '') END;

-- A first or last name without titles and generation.
CREATE OR REPLACE TEMP MACRO clean_person(x) AS squeeze(regexp_replace(regexp_replace(known(clean_text(
    regexp_replace(x, '[(\[].*[)\]]', ' ', 'g'))), '^(?:(?:{honorifics}) )+', ''), '(?: (?:{name_suffixes}))+$', ''));

-- Eight digits, year first. The American order is read where both orders are possible.
CREATE OR REPLACE TEMP MACRO clean_birthdate(x) AS CASE
    WHEN regexp_matches(x, '^\d{{4}}-?\d{{2}}-?\d{{2}}') THEN digits(x)[1:8]
    WHEN regexp_matches(x, '^\d{{1,2}}[/.-]\d{{1,2}}[/.-]\d{{4}}$') THEN strftime(coalesce(
        try_strptime(x, '%m/%d/%Y'), try_strptime(x, '%d/%m/%Y'), try_strptime(x, '%d.%m.%Y'), try_strptime(x, '%d-%m-%Y')), '%Y%m%d')
    ELSE NULL END;

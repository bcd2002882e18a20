-- How one value is cleaned. Every macro takes transliterated (ASCII) text and returns NULL for nothing.
-- Names in curly braces are patterns and maps built from the word lists (lookups.py).
-- A macro is text put in place of its call: one that mentions its argument more than once is given a column, never
-- another call (the SQL files clean step by step), or the text grows without bound. Long patterns stay out of lambdas:
-- there they are compiled once per 2,048 rows.

-- Marks that mean more than a blank, in lower case: dotted and slashed initials closed up (s.a. → sa, a/s → as), "&" and
-- "+" read as "and", an apostrophe lost in an encoding (children?s) mended. Few values have one, and looking costs less.
CREATE OR REPLACE TEMP MACRO has_mark(x) AS regexp_matches(x, '[&+''`]|[a-z]\?s|[aikps]/[abs]|\b[a-z]\.');
CREATE OR REPLACE TEMP MACRO read_marks(x) AS regexp_replace(regexp_replace(replace(replace(
    regexp_replace(replace(replace(x, '&', ' and '), '+', ' and '),
    '([a-z])\?s\b', '\1s', 'g'),
    '''', ''), '`', ''),
    '\b([aikps])/([abs])\b', '\1\2', 'g'),
    '\b([a-z])\.', '\1', 'g');
-- Lower case, punctuation to blanks. A single blank is not replaced by itself: that is what costs.
CREATE OR REPLACE TEMP MACRO clean_text(x) AS nullif(trim(regexp_replace(
    CASE WHEN has_mark(lower(x)) THEN read_marks(lower(x)) ELSE lower(x) END, '(?:[^a-z0-9 ]| [^a-z0-9])[^a-z0-9]*', ' ', 'g')), '');

-- What people type when they have nothing to type.
CREATE OR REPLACE TEMP MACRO known(x) AS CASE WHEN regexp_full_match(x,
    '(?:test(?: ?(?:account|company|contact|lead|user|record|test|corp|inc))?(?: ?\d+)?|(?:unknown|unbekannt|inconnu|desconocido|desconhecido|sconosciuto|onbekend|okand)(?: (?:unknown|company|account|name|customer|contact))?|nicht bekannt|keine angaben?|sans nom|non renseigne|sin nombre|senza nome|zonder naam|no data|no name given|non communiquee?|non specifie|nao informado|nao consta|nao disponivel|to be advised|not specified|(?:first|last|company|account|full) ?name|na na|null null|noname|nobody|testing|tbc|to be confirmed|not provided|not available|not applicable|not known|not given|no name|no company|no last ?name|no first ?name|none|null|nil|nan|n a|tbd|tba|to be determined|undefined|unspecified|unassigned|anonymous|private|self|self employed|individual|x{{2,}}|z{{3,}}|asdf(?:asdf)*|qwerty|dummy|blank|empty|missing|fake|sample|delete|do not use|0+)')
    THEN NULL ELSE x END;
-- The same of a company; some of these are people's names.
CREATE OR REPLACE TEMP MACRO known_company(x) AS CASE WHEN regexp_full_match(x,
    '(?:na|k ?a|ohne(?: namen?| angabe)?|misc|various|foo(?: bar)?|abc ?123|a{{3,}}|12345\d*|(?:sample|new|dummy|example) (?:company|account|customer|contact)|customer|prospect)')
    THEN NULL ELSE known(x) END;

-- Initials written apart are one word: "j p morgan" → "jp morgan", "at and t" → "att".
CREATE OR REPLACE TEMP MACRO close_initials(x) AS CASE WHEN regexp_matches(x, '\b[a-z] [a-z]\b') THEN regexp_replace(regexp_replace(regexp_replace(x,
    '\b([a-z]) ([a-z]) ([a-z]) ([a-z])\b', '\1\2\3\4', 'g'),
    '\b([a-z]) ([a-z]) ([a-z])\b', '\1\2\3', 'g'),
    '\b([a-z]) ([a-z])\b', '\1\2', 'g') ELSE x END;
CREATE OR REPLACE TEMP MACRO close_and(x) AS regexp_replace(x, '\b([a-z]{{1,2}}) and ([a-z])\b', '\1\2', 'g');

CREATE OR REPLACE TEMP MACRO squeeze(x) AS nullif(trim(regexp_replace(x, '  +', ' ', 'g')), '');

-- Notes people put into names ("Acme - DO NOT USE", "[TEST] Acme"), and the name of a web site's top level.
CREATE OR REPLACE TEMP MACRO without_notes(x) AS CASE WHEN regexp_matches(x, '[\[\](*:/-]|zzz|xxx|\.(?:com|net|org|io)\b') THEN regexp_replace(regexp_replace(regexp_replace(regexp_replace(x, '^m/s\.? ', ''),
    '[\s(\[*:-]*[(\[*:-][\s(\[*:-]*(?:do not use|dnu|duplicate|dup|inactive|obsolete|closed|merged|deleted?|out of business|test)\s*[\])*]*\s*$', ''),
    '^\s*(?:[\[(*]+\s*(?:do not use|dnu|duplicate|dup|inactive|obsolete|closed|merged|deleted?|old|test)\s*[\])*]+|zzz+|xxx+)[\s:-]+', ''),
    '([a-z0-9])\.(?:com|net|org|io)\b', '\1', 'g') ELSE x END;
-- A name that holds another one: "Müller GmbH d/b/a Joe's Pizza", "Acme (formerly Bolt)".
CREATE OR REPLACE TEMP MACRO has_other_name(x) AS regexp_matches(x, '\b(?:{other_name})\b');
CREATE OR REPLACE TEMP MACRO name_parts(x) AS string_split(regexp_replace(x, '[\s,;(\[-]*\b(?:{other_name})\b[\s.:\])]*', '|', 'g'), '|');
CREATE OR REPLACE TEMP MACRO without_marker(x) AS CASE WHEN has_other_name(x) THEN array_to_string(name_parts(x), ' ') ELSE x END;

-- A company's name without its legal forms, wherever they stand; never emptied.
CREATE OR REPLACE TEMP MACRO without_forms(x) AS coalesce(squeeze({without_forms}), x);
CREATE OR REPLACE TEMP MACRO without_edges(x) AS coalesce(squeeze(regexp_replace(regexp_replace(
    regexp_replace(regexp_replace(x,
    '(?: and| the)+$', ''), '{legal_end}', ''), '{legal_start}', ''), '^(?:the )+|(?: and| the)+$', '', 'g')), x);
-- Whether there is anything at either end that without_edges takes away.
CREATE OR REPLACE TEMP MACRO has_edge(x) AS regexp_matches(x, '{legal_edge}');
-- Abbreviations written out, words of an organisation in English, numbers as digits: "ii" → "2", "forty four" → "44".
CREATE OR REPLACE TEMP MACRO standard_words(x) AS CASE WHEN regexp_matches(x, '\b(?:{word_pattern})\b')
    THEN array_to_string(list_transform(string_split(x, ' '), lambda w: coalesce({word_map}[w], w)), ' ') ELSE x END;
CREATE OR REPLACE TEMP MACRO standard_numbers(x) AS CASE WHEN regexp_matches(x, '\b(?:{number_pattern})\b') THEN
    regexp_replace(array_to_string(list_transform(string_split(x, ' '), lambda w, i: coalesce({number_map}[w],
        CASE WHEN i > 1 THEN {roman_map}[w] END, w)), ' '), '\b([2-9])0 ([1-9])\b', '\1\2', 'g') ELSE x END;
-- The words of a name without those that say nothing, each once, in their order; never emptied.
CREATE OR REPLACE TEMP MACRO telling_words(x) AS list_filter(string_split(x, ' '), lambda w: w NOT IN
    ('the', 'and', 'of', 'und', 'et', 'y', 'e', 'de', 'la', 'du', 'des', 'der', 'die', 'das', 'for', 'a', ''));
CREATE OR REPLACE TEMP MACRO or_all_words(telling, x) AS CASE WHEN len(telling) = 0 THEN string_split(x, ' ') ELSE telling END;
CREATE OR REPLACE TEMP MACRO each_once(words) AS list_filter(words, lambda w, i: list_position(words, w) = i);
CREATE OR REPLACE TEMP MACRO initials(telling) AS CASE WHEN len(telling) >= 3 THEN array_to_string(list_transform(telling, lambda w: w[1]), '') END;
-- The names a name is made of, and those listed beside it ("A; B", '["A", "B"]'); the whole name is none of them.
CREATE OR REPLACE TEMP MACRO other_names(x, listed) AS list_concat(CASE WHEN has_other_name(lower(x)) THEN name_parts(lower(x)) ELSE [] END,
    string_split_regex(coalesce(trim(listed, '[]" '), ''), '\s*"?[;|\n]"?\s*|",\s*"'));

-- The host of a web address or nothing when the text is none ("Yes", "see notes").
CREATE OR REPLACE TEMP MACRO web_host(x) AS nullif(regexp_extract(regexp_replace(lower(trim(x)), '\.invalid\b', ''),
    '^(?:https?:?/+|[a-z]+:/*)*(?:[^/@\s]*@)?(?:www\d?\.)?([^\s/:?#@,;]+\.[^\s/:?#@,;.\d][^\s/:?#@,;.]+)\.?(?:[/:?#,;\s]|$)', 1), '');
-- What most of them are needs no such pattern: a host after "https://www.", and perhaps a slash.
CREATE OR REPLACE TEMP MACRO bare_host(x) AS regexp_replace(rtrim(lower(x), '/'), '^(?:https?://)?(?:www\d?\.)?', '');
CREATE OR REPLACE TEMP MACRO is_host(x) AS regexp_full_match(x, '(?:[a-z0-9-]+\.)+[a-z-][a-z0-9-]+') AND NOT contains(x, '.invalid') AND NOT starts_with(x, 'www');

-- Sandbox copies append .invalid; an address before plus-addressing is the same mailbox.
CREATE OR REPLACE TEMP MACRO clean_email(x) AS CASE
    WHEN regexp_full_match(lower(x), '[a-z0-9._-]+@[a-z0-9.-]+\.[a-z][a-z0-9-]+') AND NOT ends_with(lower(x), '.invalid') THEN lower(x)
    ELSE nullif(regexp_extract(
        regexp_replace(regexp_replace(lower(trim(x)), '\.invalid$', ''), '\+[^@]*@', '@'),
        '^(?:mailto:)?([^@\s,;<>"]+@[^@\s,;<>"]+\.[a-z][a-z0-9-]+)$', 1), '') END;

-- Digits of a number, its plus kept, without extension and "(0)"; the first of two numbers.
CREATE OR REPLACE TEMP MACRO digits(x) AS regexp_replace(x, '[^0-9]', '', 'g');
CREATE OR REPLACE TEMP MACRO dialled(x) AS CASE
    WHEN regexp_full_match(x, '[0-9+]*') THEN x
    WHEN regexp_matches(x, '[^0-9+ .)(-]') THEN regexp_replace(regexp_replace(replace(regexp_replace(lower(x),
        '^([^/]{{7,}}\d)\s*/\s*([^/]{{7,}})$', '\1'), '(0)', ''),
        '(?:ext|x|#|poste|durchwahl|;|,| or ).*$', ''), '[^0-9+]', '', 'g')
    ELSE translate(replace(x, '(0)', ''), ' .)(-', '') END;
-- E.164 where the country is known or written, else the digits as dialled; d is what dialled() gives.
CREATE OR REPLACE TEMP MACRO to_phone(d, dialling, trunk) AS CASE
    WHEN d IS NULL OR strlen(replace(d, '+', '')) < 6 OR strlen(replace(d, '+', '')) > 16 THEN NULL
    WHEN regexp_full_match(replace(d, '+', ''), '(?:0+|1+|2+|3+|4+|5+|6+|7+|8+|9+|0?1234567890?|0?123456789)') THEN NULL
    WHEN starts_with(d, '+') THEN '+' || replace(d, '+', '')
    WHEN starts_with(d, '00') AND strlen(d) > 9 THEN '+' || replace(d, '+', '')[3:]
    WHEN dialling = '1' AND starts_with(d, '011') AND strlen(d) > 11 THEN '+' || replace(d, '+', '')[4:]
    WHEN dialling IS NULL OR strlen(d) < 8 THEN replace(d, '+', '')
    WHEN starts_with(d, dialling) AND strlen(d) >= strlen(dialling) + 10 THEN '+' || replace(d, '+', '')
    WHEN trunk <> '' AND starts_with(d, trunk) THEN '+' || dialling || replace(d, '+', '')[strlen(trunk) + 1:]
    ELSE '+' || dialling || replace(d, '+', '') END;

-- Addresses. How countries write what is not a street, made one form where one is there at all: post office boxes, house
-- numbers with a word before them (No. 12, Plot 12, d. 5), unit/number (3/12 Smith St) and number/unit (Dluga 5/7).
CREATE OR REPLACE TEMP MACRO has_other_form(x) AS regexp_matches(x,
    'box|bag|postf|postb|postale?\b|\bb\.?p\.? |apartado|apdo|casilla|\b(?:no|nr|num|numero|plot|house|door|km|d|h|n|blk|block)\b[.: ]*\d|'
    '\d ?/ ?\d|[a-z]/|^r\. | u\.|zza\b|v\.le|c\.so|pr-t|\bpo de |\.\d|#\s?\d+-|:\s?\d|[a-z]\. ?no\b|^\d+ [a-d] (?:rue|av|bd|boul|place|ch|all|quai|route)');
CREATE OR REPLACE TEMP MACRO post_box(x) AS regexp_replace(regexp_replace(regexp_replace(x,
    '\b(?:g?\.?p\.? ?o\.? ?box|g\.? ?p\.? ?o\.? ?box|post office box|postfach|postbus|postboks|boite postale|b\.? ?p\.?|apartado(?: postal| de correos)?|apdo\.?(?: postal)?|caixa postal|casilla(?: postal)?|casella postale)\.?\s*(?:n[or]?\.? ?)?#? *(\d)', 'po box \1', 'g'),
    '\b(?:locked|private) bag\s*(?:no\.? ?)?(\d)', 'locked bag \1'),
    '(po box \d\d) (\d\d)(?: (\d\d))?(?: (\d\d))?(,|$)', '\1\2\3\4\5');
CREATE OR REPLACE TEMP MACRO short_types(x) AS regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(x,
    '^c/ ?', 'calle '), '^r\. ', 'rua '), ' u\.', ' utca'), '\bp\.?zza\b', 'piazza'), '\bv\.le\b', 'viale'), '\bc\.so\b', 'corso'),
    '\bpr-t\b', 'prospekt'), '\bpo de ', 'paseo de ');
CREATE OR REPLACE TEMP MACRO plain_number(x) AS regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(x,
    '^(.*\b(?:carrera|cra|kra|kr|cr|calle|cll|cl|diagonal|transversal|avenida|av)\.? ?\d+[a-z]?)\s*(?:#|no?\.?)\s*(\d+[a-z]?)\s*-\s*\d+.*$', '\1 street \2'),
    '\s(?:d|daire|kat|k)\s*:\s*\d+[a-z]?|#\s?\d+-\d+.*$|\ss/n\b', ' ', 'g'),
    '\b(?:h\.? ?no|(?:house|door|plot) no|d\.? ?no|plot|nos?|nr|num|numero|house|door|d|km|^(?:blk|block))\b[.:]*\s*(\d)', ' \1', 'g'),
    '^\s*(?:unit |flat |apt |shop |suite )?\d+[a-z]?\s*/\s*(\d+[a-z]?[\s,]+[a-z])', '\1'),
    '([a-z.,] ?\d+[a-z]?)(?:\s*/\s*\d+[a-z]?)+', '\1'),
    '^(\d+) [a-d] (rue|av|bd|boul|place|ch|all|quai|route)', '\1 \2'),
    '\.(\d)', ' \1', 'g');
-- The number of a block, its part and its house (1-2-3, 1-chome 2-3): one number, wherever it stands.
CREATE OR REPLACE TEMP MACRO has_block(x) AS regexp_matches(x, '\d-\d+-\d|chome');
CREATE OR REPLACE TEMP MACRO dashed_block(x) AS regexp_replace(regexp_replace(x,
    '(\d+)[ -]*chome[ ,-]*(\d+)(?:-|\s*ban(?:chi)?[ -]*)(\d+)(?:-?go)?', '\1-\2-\3'),
    '^(\d+)-(\d+)[ ,]+(.*[a-z])[ ,]+(\d+)[ -]*chome', '\4-\1-\2 \3');
CREATE OR REPLACE TEMP MACRO block_number(x) AS nullif(regexp_extract(x, '\b(\d+-\d+-\d+)\b', 1), '');
CREATE OR REPLACE TEMP MACRO without_block(x) AS regexp_replace(regexp_replace(x,
    '^\s*\d+-\d+-\d+[ ,]+', ''), '^(.*[a-z].*?)[ ,]*\b\d+-\d+-\d+\b.*$', '\1');
-- Of several lines or parts the one that names a street and a number: "Flat 2, 10 Downing St, London".
CREATE OR REPLACE TEMP MACRO street_part(parts, whole) AS coalesce(
    list_filter(parts, lambda p: regexp_matches(p, '\d') AND regexp_matches(p, '[a-z]{{2}}') AND NOT regexp_matches(p,
        '^\s*(?:(?:{unit_words}|lot|fl|block|tower|dept)\b|\d+(?:st|nd|rd|th)? (?:fl|floor)\b|\d+\.? ?(?:og|stock|etage|planta|andar|piso|tr)\b|p\.?\s?o\.?\s?box|locked bag|c/o|#)'))[1],
    list_filter(parts, lambda p: regexp_matches(p, '^\s*(?:po box|locked bag) \d'))[1],
    whole);
CREATE OR REPLACE TEMP MACRO street_lines(x) AS CASE WHEN contains(x, chr(10)) OR contains(x, ';')
    THEN street_part(string_split_regex(x, '\s*[\n\r;]+\s*'), x) ELSE x END;
-- A number beside its comma belongs to the street: "12, rue de la Paix", "Calle Mayor, 5, 2 A".
CREATE OR REPLACE TEMP MACRO street_commas(x) AS CASE WHEN contains(x, ',')
    THEN street_part(string_split(regexp_replace(regexp_replace(x,
        '^\s*(\d+ ?(?:[a-z]|bis|ter|quater)?(?:[-/]\d+)?)\s*,', '\1 '), '^([^,\d]+),\s*(\d+ ?[a-z]?)\s*(,|$|-|\(|int)', '\1 \2\3'), ','), x) ELSE x END;
CREATE OR REPLACE TEMP MACRO has_unit(x) AS regexp_matches(x, '#|\b(?:{unit_words}|lot|floor|fl)\b|\d[a-z]?\s*/|^[lu]\d');
CREATE OR REPLACE TEMP MACRO street_unit(x) AS nullif(coalesce(
    nullif(regexp_extract(lower(x), '(?:\b(?:{unit_words}|lot|fl)\b\.?|#)\s*#?\s*([a-z0-9-]+)', 1), ''),
    nullif(regexp_extract(lower(x), '^\s*(\d+[a-z]?)\s*/\s*\d+[a-z]?[\s,]+[a-z]', 1), ''),
    nullif(regexp_extract(lower(x), '^(?:l|u)(\d+)[ ,]', 1), ''),
    regexp_extract(lower(x), '\b(\d+)(?:st|nd|rd|th)? (?:floor|fl)\b', 1)), '');
CREATE OR REPLACE TEMP MACRO without_unit(x) AS regexp_replace(regexp_replace(x,
    '\b(?:\d+(?:st|nd|rd|th)?|(?:lower )?ground|first|second|third|fourth|fifth|top) (?:floor|fl)\b|\b\d+o?\.? ?(?:og|ug|stock|etage|andar|piso|planta|tr)\b|(?:\b(?:{unit_words}|lot)\b\.?|#)\s*#?\s*[a-z0-9-]+|'
    '\b(?:bldg|building|tower|wing|block)\.? (?:[a-z]|\d+[a-z]?)\b|\b(?:{counted_units})\b\.?\s*\d+[a-z]?\b|^(?:l|u)\d+[ ,]', ' ', 'g'),
    '\s(?:between|btw|bet|near|opposite|corner|at|off)\.?\s.*$|^(.*[a-z].*\d[a-z]?) - .*$', '\1');
CREATE OR REPLACE TEMP MACRO plain_ordinals(x) AS CASE WHEN regexp_matches(x, '\d(?:st|nd|rd|th)\b|\b(?:{ordinal_pattern})\b')
    THEN regexp_replace({ordinals}, '\b(\d+)(?:st|nd|rd|th)\b', '\1', 'g') ELSE x END;
CREATE OR REPLACE TEMP MACRO street_number(line) AS nullif(coalesce(
    nullif(regexp_extract(line, '^(\d+)(?:[a-z]|bis|ter|quater)?(?: |$)', 1), ''), regexp_extract(line, '[a-z] (\d+)(?: ?[a-z]| hs| ii+)?(?: \d+[a-z]?)?$', 1)), '');
CREATE OR REPLACE TEMP MACRO without_number(line) AS CASE
    WHEN regexp_matches(line, '^\d+(?:[a-z]|bis|ter|quater)?(?: |$)') THEN regexp_replace(line, '^\d+(?:[a-z]|bis|ter|quater)?(?: \d+[a-z]?| bis| ter| quater)? ', '')
    ELSE regexp_replace(line, '([a-z]) \d+(?: ?[a-z]| hs| ii+)?(?: \d+[a-z]?)?$', '\1') END;
-- A German street may be one word with its type: "hauptstr", "hauptstrasse"; a Dutch one: "kerkstraat".
CREATE OR REPLACE TEMP MACRO without_compound(x) AS regexp_replace(x, '\b([a-z]{{3,}})str(?:asse|aat)?\b', '\1', 'g');
CREATE OR REPLACE TEMP MACRO street_name_of(x) AS coalesce(
    squeeze(regexp_replace(x, '{street_words}', ' ', 'g')), squeeze(regexp_replace(x, ' {street_words}$', '')), squeeze(x));

-- A city, given as clean text.
CREATE OR REPLACE TEMP MACRO clean_city(x) AS squeeze(regexp_replace(regexp_replace(regexp_replace(
    regexp_replace(regexp_replace(x,
    '^st ', 'saint '), '^(?:n|north) ', 'north '), '^w ', 'west '), '^mt ', 'mount '), ' cedex.*$| \d+$', ''));
CREATE OR REPLACE TEMP MACRO clean_postal_code(x, country) AS CASE
    WHEN regexp_full_match(x, '\d{{5}}') AND x <> '00000' THEN x
    WHEN regexp_full_match(coalesce(x, ''), '[\s0-]*') THEN NULL
    WHEN regexp_full_match(trim(x), '\d{{5}}-?\d{{4}}') THEN trim(x)[1:5]
    WHEN country = 'US' AND regexp_full_match(trim(x), '\d{{4}}') THEN '0' || trim(x)
    ELSE nullif(regexp_replace(upper(regexp_replace(lower(x), '[^A-Za-z0-9]', '', 'g')), '^(?:D|DE|A|AT|CH|F|FR|B|BE|L|LU|NL|I|IT|E|ES|DK|S|SE|FI|FIN|N|NO|PL|CZ|SK|H|HU|P|PT)(\d{{4,6}})$', '\1'), '') END;

-- A first or last name without titles, nickname in brackets or quotes, and generation; the second of clean text.
CREATE OR REPLACE TEMP MACRO without_nickname(x) AS regexp_replace(x, '[(\[].*[)\]]|"[^"]+"', ' ', 'g');
CREATE OR REPLACE TEMP MACRO without_titles(x) AS squeeze(regexp_replace(regexp_replace(x,
    '^(?:(?:{honorifics}) )+', ''), '(?: (?:{name_suffixes}))+$', ''));

-- Eight digits, year first. The American order is read where both orders are possible; a year of two digits up to 30 is
-- of this century. A date nobody was born on (a form's default) is none.
CREATE OR REPLACE TEMP MACRO written_date(x) AS coalesce(
    try_strptime(x, '%m/%d/%Y'), try_strptime(x, '%d/%m/%Y'), try_strptime(x, '%d.%m.%Y'), try_strptime(x, '%d-%m-%Y'),
    try_strptime(x, '%Y-%m-%d'), try_strptime(x, '%Y/%m/%d'), try_strptime(x, '%Y.%m.%d'), try_strptime(x, '%Y-%d-%m'),
    try_strptime(x, '%d-%b-%Y'), try_strptime(x, '%d %b %Y'), try_strptime(x, '%d %B %Y'), try_strptime(x, '%b %d %Y'), try_strptime(x, '%B %d %Y'));
CREATE OR REPLACE TEMP MACRO whole_year(x) AS CASE WHEN regexp_full_match(x, '\d{{1,2}}[/.-]\d{{1,2}}[/.-]\d{{2}}')
    THEN x[1:-3] || CASE WHEN x[-2:] > '30' THEN '19' ELSE '20' END || x[-2:] ELSE regexp_replace(x, ', *', ' ') END;
CREATE OR REPLACE TEMP MACRO clean_birthdate(x) AS CASE
    WHEN regexp_matches(x, '^\d{{4}}-?\d{{2}}-?\d{{2}}') THEN CASE WHEN try_strptime(digits(x)[1:8], '%Y%m%d') IS NOT NULL
        THEN digits(x)[1:8] ELSE strftime(try_strptime(digits(x)[1:8], '%Y%d%m'), '%Y%m%d') END
    ELSE strftime(written_date(whole_year(trim(x))), '%Y%m%d') END;

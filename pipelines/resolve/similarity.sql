-- How alike two values are; the macros the comparisons are written with.
-- A number is itself or another one: words that begin with two digits are never alike.
CREATE OR REPLACE TEMP MACRO word_alike(a, b) AS CASE WHEN a = b THEN 1.0
    WHEN length(a) >= 4 AND length(b) >= 4 AND abs(length(a) - length(b)) <= 4 AND a[2:] > ':' AND b[2:] > ':'
    THEN jaro_winkler_similarity(a, b, 0.88) ELSE 0.0 END;
-- The length of a word that may be alike to another; none for numbers and short ones, see word_alike.
CREATE OR REPLACE TEMP MACRO likely_length(x) AS CASE WHEN length(x) >= 4 AND x[2:] > ':' THEN length(x) END::INTEGER;
-- word_alike times the smaller of the two weights: what two words of two names share; no word shares nothing. size and
-- extent are their likely lengths. CASE, because least() takes five times as long.
CREATE OR REPLACE TEMP MACRO word_shared(a, weight, size, b, other, extent) AS (
    CASE WHEN a = b THEN 1::DOUBLE WHEN abs(size - extent) <= 4 THEN jaro_winkler_similarity(a, b, 0.88) ELSE 0::DOUBLE END
    * CASE WHEN weight < other THEN weight WHEN other IS NULL THEN 0 WHEN weight IS NULL THEN 0 ELSE other END)::FLOAT;
CREATE OR REPLACE TEMP MACRO larger(a, b) AS CASE WHEN a > b THEN a ELSE b END;
-- Whether a word is as alike as this to at most one of four.
CREATE OR REPLACE TEMP MACRO partners(best, a, b, c, d) AS
    best = 0 OR (best = a)::UTINYINT + (best = b)::UTINYINT + (best = c)::UTINYINT + (best = d)::UTINYINT = 1;
-- Words run together: at most one letter in five may differ. The cheap test first: this distance is slow.
CREATE OR REPLACE TEMP MACRO rest_alike(a, b) AS CASE WHEN a = b THEN 1.0
    WHEN length(a) >= 4 AND length(b) >= 4 AND a[2:] > ':' AND b[2:] > ':' AND jaro_similarity(a, b, 0.75) > 0
        AND damerau_levenshtein(a, b) <= greatest(length(a), length(b)) // 5
    THEN 1 - damerau_levenshtein(a, b) / greatest(length(a), length(b)) ELSE 0.0 END;
-- What _name_alike knows of a pair: how much of both names is shared, how much of the shorter one, and how telling that is.
CREATE OR REPLACE TEMP MACRO names_alike(known, other) AS known[other].alike;
CREATE OR REPLACE TEMP MACRO names_contained(known, other) AS known[other].contained;
CREATE OR REPLACE TEMP MACRO names_shared(known, other) AS known[other].shared;
CREATE OR REPLACE TEMP MACRO names_own(known, other) AS known[other].own;
-- A Soundex that keeps the first letter and four classes of consonants.
CREATE OR REPLACE TEMP MACRO sound(x) AS x[1] || left(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
    translate(x[2:], 'bfpvcgjkqsxzdtlmnraeiouhwy', '111122222222334556'), '1+', '1', 'g'), '2+', '2', 'g'), '3+', '3', 'g'),
    '4+', '4', 'g'), '5+', '5', 'g'), '6+', '6', 'g'), 4);
CREATE OR REPLACE TEMP MACRO same_numbers(a, b) AS len(a) = 0 OR len(b) = 0 OR list_has_any(a, b);
-- At most so many letters put in, left out, changed or exchanged. The cheap test first: this distance is slow.
CREATE OR REPLACE TEMP MACRO near(a, b, letters) AS abs(length(a) - length(b)) <= letters
    AND jaro_similarity(a, b) >= 0.6 AND damerau_levenshtein(a, b) <= letters;

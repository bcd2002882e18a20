-- How alike two values are, on Spark: what ../similarity.sql and DuckDB itself give the comparisons, by the same names
-- after alike_, for Spark's own functions come before others. dialect.py writes out what one asks of another, for Spark
-- has no SQL function inside a lambda. transform(array(value), name -> ...)[0] gives a value a name. Null in, null out;
-- Splink's own jaro_sim and damerau_levenshtein know no null.

-- DuckDB compares bytes, Spark characters: one character per byte is the same to both.
CREATE TEMPORARY FUNCTION octets(x STRING) RETURN decode(encode(x, 'UTF-8'), 'ISO-8859-1');
-- The first place of a letter within reach.
CREATE TEMPORARY FUNCTION found_at(letter STRING, rest STRING, place INT, reach INT) RETURN locate(letter,
    substring(rest, greatest(place - reach, 1), place + reach - greatest(place - reach, 1) + 1));
-- Jaro as DuckDB counts: a letter takes the first equal one within reach that is not taken (€ marks what is), and two
-- letters out of order are one transposition, rounded down.
CREATE TEMPORARY FUNCTION jaro_counted(a STRING, b STRING, reach INT) RETURN aggregate(
    sequence(1, length(a)), named_struct('rest', b, 'met', ''),
    (s, i) -> CASE WHEN found_at(substring(a, i, 1), s.rest, i, reach) = 0 THEN s ELSE named_struct(
        'rest', overlay(s.rest, '€', greatest(i - reach, 1) + found_at(substring(a, i, 1), s.rest, i, reach) - 1, 1),
        'met', concat(s.met, substring(a, i, 1))) END,
    s -> transform(array(array_join(transform(filter(sequence(1, length(b)), j -> substring(s.rest, j, 1) = '€'),
        j -> substring(b, j, 1)), '')), o -> (length(s.met) / length(a) + length(s.met) / length(b) + (length(s.met)
        - size(filter(sequence(1, length(o)), k -> substring(s.met, k, 1) <> substring(o, k, 1))) div 2) / length(s.met)) / 3)[0]);
-- Splink's Jaro is quick and at most 0.056 lower than DuckDB's, for it counts halves: no comparison asks for less than 0.6.
CREATE TEMPORARY FUNCTION jaro(a STRING, b STRING) RETURN CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN a = b THEN 1.0D
    WHEN jaro_sim(a, b) < 0.54D THEN jaro_sim(a, b)
    ELSE jaro_counted(a, b, greatest(greatest(length(a), length(b)) div 2 - 1, 0)) END;
CREATE TEMPORARY FUNCTION start_shared(a STRING, b STRING) RETURN CASE WHEN left(a, 4) = left(b, 4) THEN 4
    WHEN left(a, 3) = left(b, 3) THEN 3 WHEN left(a, 2) = left(b, 2) THEN 2 WHEN left(a, 1) = left(b, 1) THEN 1 ELSE 0 END;
CREATE TEMPORARY FUNCTION winkler(a STRING, b STRING) RETURN transform(array(jaro(a, b)),
    v -> CASE WHEN v > 0.7D THEN v + start_shared(a, b) * 0.1D * (1 - v) ELSE v END)[0];
CREATE TEMPORARY FUNCTION edits(a STRING, b STRING) RETURN
    CASE WHEN a IS NULL OR b IS NULL THEN NULL ELSE damerau_levenshtein(a, b) END;

CREATE TEMPORARY FUNCTION jaro_winkler_similarity(a STRING, b STRING) RETURN transform(
    array(named_struct('p', octets(a), 'q', octets(b))), z -> winkler(z.p, z.q))[0];
CREATE TEMPORARY FUNCTION jaro_similarity(a STRING, b STRING) RETURN transform(
    array(named_struct('p', octets(a), 'q', octets(b))), z -> jaro(z.p, z.q))[0];
CREATE TEMPORARY FUNCTION levenshtein(a STRING, b STRING) RETURN levenshtein(octets(a), octets(b));
CREATE TEMPORARY FUNCTION near(a STRING, b STRING, letters INT) RETURN abs(length(a) - length(b)) <= letters
    AND jaro_similarity(a, b) >= 0.6D AND edits(octets(a), octets(b)) <= letters;
CREATE TEMPORARY FUNCTION same_numbers(a ARRAY<STRING>, b ARRAY<STRING>) RETURN size(a) = 0 OR size(b) = 0 OR arrays_overlap(a, b);
-- Single precision in the shortest decimals that mean it: 0.7 is 0.7, as for DuckDB.
CREATE TEMPORARY FUNCTION in_decimals(x FLOAT) RETURN CAST(CAST(x AS STRING) AS DOUBLE);
CREATE TEMPORARY FUNCTION names_alike(known MAP<INT, STRUCT<alike: FLOAT, contained: FLOAT, shared: FLOAT, own: FLOAT>>, other INT) RETURN in_decimals(element_at(known, other).alike);
CREATE TEMPORARY FUNCTION names_contained(known MAP<INT, STRUCT<alike: FLOAT, contained: FLOAT, shared: FLOAT, own: FLOAT>>, other INT) RETURN in_decimals(element_at(known, other).contained);
CREATE TEMPORARY FUNCTION names_shared(known MAP<INT, STRUCT<alike: FLOAT, contained: FLOAT, shared: FLOAT, own: FLOAT>>, other INT) RETURN in_decimals(element_at(known, other).shared);
CREATE TEMPORARY FUNCTION names_own(known MAP<INT, STRUCT<alike: FLOAT, contained: FLOAT, shared: FLOAT, own: FLOAT>>, other INT) RETURN in_decimals(element_at(known, other).own);
CREATE TEMPORARY FUNCTION word_alike(a STRING, b STRING) RETURN CASE WHEN a = b THEN 1.0D
    WHEN length(a) >= 4 AND length(b) >= 4 AND abs(length(a) - length(b)) <= 4 AND substring(a, 2) > ':' AND substring(b, 2) > ':'
    THEN transform(array(jaro_winkler_similarity(a, b)), w -> CASE WHEN w >= 0.88D THEN w ELSE 0.0D END)[0] ELSE 0.0D END;
CREATE TEMPORARY FUNCTION rest_alike(a STRING, b STRING) RETURN transform(array(named_struct('p', a, 'q', b)), z ->
    CASE WHEN z.p = z.q THEN 1.0D
    WHEN length(z.p) >= 4 AND length(z.q) >= 4 AND substring(z.p, 2) > ':' AND substring(z.q, 2) > ':'
        AND jaro_similarity(z.p, z.q) >= 0.75D AND edits(octets(z.p), octets(z.q)) <= greatest(length(z.p), length(z.q)) div 5
    THEN 1 - edits(octets(z.p), octets(z.q)) / greatest(length(z.p), length(z.q)) ELSE 0.0D END)[0];

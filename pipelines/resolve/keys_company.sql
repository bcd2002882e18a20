-- Block keys of one side of company matching: two records that share one may be the same company. No key twice per row.
-- A key is a number made of its values, none where one of them is missing (joint, single): making texts takes longer.
-- $prefix is a length at which a prefix of a name is shared by few of the reference's names.
SELECT n, 'word' AS kind, single(word) AS value FROM _{side}_word
UNION ALL SELECT n, 'word', single(word) FROM
    (SELECT DISTINCT n, unnest(string_split(name, ' ')) AS word FROM
        (SELECT n, unnest(other_names) AS name FROM _{side}_named WHERE len(other_names) > 0))
    ANTI JOIN _{side}_word USING (n, word)
UNION ALL SELECT n, 'two words', pair FROM _{side}_two
UNION ALL SELECT DISTINCT n, 'sound of a word', s.sound FROM _{side}_word JOIN _{side}_sound s USING (word)
UNION ALL SELECT n, 'name start', single(left(name_squashed, $prefix)) FROM _{side}_named
UNION ALL SELECT n, 'name end', single(right(name_squashed, $prefix)) FROM _{side}_named
UNION ALL SELECT n, 'start and city', joint(left(name_squashed, 4), city_clean) FROM _{side}_named
UNION ALL SELECT n, 'start and postal code', joint(left(name_squashed, 3), postal_code_clean) FROM _{side}_named
UNION ALL SELECT n, 'acronym', single(acronym) FROM _{side}_named
UNION ALL SELECT n, 'acronym', single(name_squashed) FROM _{side}_named
    WHERE length(name_squashed) BETWEEN 3 AND 6 AND name_squashed IS DISTINCT FROM acronym
UNION ALL SELECT n, 'domain', single(domain) FROM _{side}_named
UNION ALL SELECT n, 'phone', single(phone_tail) FROM _{side}_named
UNION ALL SELECT n, 'postal code and number', single(postal_code_clean || ' ' || street_number) FROM _{side}_named
UNION ALL SELECT n, 'street and number', single(street_name || ' ' || street_number) FROM _{side}_named

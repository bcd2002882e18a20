-- Block keys of one side of company matching: two records that share one may be the same company. No key twice per row.
-- $prefix is a length at which a prefix of a name is shared by few of the reference's names.
SELECT DISTINCT n, 'word' AS kind, word AS value FROM (
    SELECT n, word FROM _{side}_word
    UNION ALL SELECT n, unnest(string_split(name, ' ')) FROM
        (SELECT n, unnest(other_names) AS name FROM _{side} WHERE len(other_names) > 0))
UNION ALL SELECT DISTINCT w.n, 'two words', a || ' ' || b FROM
    (SELECT n, unnest(telling) AS a, telling FROM _{side}_words) w, unnest(w.telling) AS u(b) WHERE a < b
UNION ALL SELECT DISTINCT n, 'sound of a word', s.sound FROM _{side}_word JOIN _{side}_sound s USING (word)
UNION ALL SELECT n, 'name start', left(name_squashed, $prefix) FROM _{side}
UNION ALL SELECT n, 'name end', right(name_squashed, $prefix) FROM _{side}
UNION ALL SELECT n, 'start and city', left(name_squashed, 4) || ' ' || city_clean FROM _{side}
UNION ALL SELECT n, 'start and postal code', left(name_squashed, 3) || ' ' || postal_code_clean FROM _{side}
UNION ALL SELECT n, 'acronym', acronym FROM _{side}
UNION ALL SELECT n, 'acronym', name_squashed FROM _{side}
    WHERE length(name_squashed) BETWEEN 3 AND 6 AND name_squashed IS DISTINCT FROM acronym
UNION ALL SELECT n, 'domain', domain FROM _{side}
UNION ALL SELECT n, 'phone', phone_tail FROM _{side}
UNION ALL SELECT n, 'postal code and number', postal_code_clean || ' ' || street_number FROM _{side}
UNION ALL SELECT n, 'street and number', street_name || ' ' || street_number FROM _{side}

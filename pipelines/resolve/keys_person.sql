-- Block keys of one side of person matching: two records that share one may be the same person. No key twice per row.
SELECT DISTINCT n, 'word' AS kind, word AS value FROM _{side}_word
UNION ALL SELECT DISTINCT w.n, 'two words', a || ' ' || b FROM
    (SELECT n, unnest(telling) AS a, telling FROM _{side}_words) w, unnest(w.telling) AS u(b) WHERE a < b
UNION ALL SELECT n, 'name start', left(last_squashed || first_squashed, $prefix) FROM _{side}
UNION ALL SELECT n, 'name start', left(first_squashed || last_squashed, $prefix) FROM _{side}
    WHERE left(first_squashed || last_squashed, $prefix) <> left(last_squashed || first_squashed, $prefix)
UNION ALL SELECT n, 'sound', sound(last_squashed) || ' ' || sound(first_squashed) FROM _{side}
UNION ALL SELECT n, 'sound', sound(first_squashed) || ' ' || sound(last_squashed) FROM _{side}
    WHERE sound(first_squashed) <> sound(last_squashed)
UNION ALL SELECT n, 'birth date', birthdate FROM _{side}
UNION ALL SELECT n, 'birth date and initial', birthdate || ' ' || first_squashed[1] FROM _{side}
UNION ALL SELECT n, 'birth date and initial', birthdate || ' ' || last_squashed[1] FROM _{side}
    WHERE last_squashed[1] IS DISTINCT FROM first_squashed[1]
UNION ALL SELECT n, 'birth year and sound', birthdate[1:4] || ' ' || sound(last_squashed) || ' ' || first_squashed[1] FROM _{side}
UNION ALL SELECT n, 'birthday and sound', birthdate[5:8] || ' ' || sound(last_squashed) FROM _{side}
UNION ALL SELECT n, 'birthday and first name', birthdate[5:8] || ' ' || sound(first_squashed) FROM _{side}
UNION ALL SELECT n, 'e-mail', email_clean FROM _{side}
UNION ALL SELECT n, 'mailbox', split_part(email_clean, '@', 1) FROM _{side} WHERE strpos(email_clean, '@') > 5
UNION ALL SELECT n, 'phone', unnest(list_distinct(phone_tails)) FROM _{side}
UNION ALL SELECT n, 'last name and postal code', sound(last_squashed) || ' ' || postal_code_clean FROM _{side}
UNION ALL SELECT n, 'first name and postal code', sound(first_squashed) || ' ' || postal_code_clean FROM _{side}
UNION ALL SELECT n, 'last name and city', last_squashed || ' ' || city_clean FROM _{side}
UNION ALL SELECT n, 'first name and street', sound(first_squashed) || ' ' || left(street_name, 5) FROM _{side}
UNION ALL SELECT n, 'last name and street', sound(last_squashed) || ' ' || left(street_name, 5) FROM _{side}
UNION ALL SELECT n, 'street and number', left(street_name, 6) || ' ' || street_number FROM _{side}
UNION ALL SELECT n, 'postal code and number', postal_code_clean || ' ' || street_number FROM _{side}
UNION ALL SELECT n, 'city and number', city_clean || ' ' || street_number || ' ' || coalesce(left(street_name, 2), '') FROM _{side}
UNION ALL SELECT n, 'company and last name', employer_id || ' ' || sound(last_squashed) FROM _{side}
UNION ALL SELECT n, 'company and first name', employer_id || ' ' || sound(first_squashed) FROM _{side}
UNION ALL SELECT n, 'company and last name', employer_domain || ' ' || sound(last_squashed) FROM _{side}
UNION ALL SELECT n, 'company and last name', employer_key || ' ' || sound(last_squashed) FROM _{side}

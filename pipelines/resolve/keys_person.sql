-- Block keys of one side of person matching: two records that share one may be the same person. No key twice per row.
-- First and last name make the same keys of most kinds: they are exchanged, and many a record has one of them alone. No
-- domain is the key of a company's name, so that the last two never are the same.
-- A key is a number made of its values, none where one of them is missing (joint, single): making texts takes longer.
SELECT n, 'word' AS kind, single(word) AS value FROM _{side}_word
UNION ALL SELECT n, 'two words', pair FROM _{side}_two
UNION ALL SELECT n, 'name start', single(left(last || first, $prefix)) FROM _{side}_named
UNION ALL SELECT n, 'name start', single(left(first || last, $prefix)) FROM _{side}_named
    WHERE left(first || last, $prefix) <> left(last || first, $prefix)
UNION ALL SELECT n, 'sound', joint(last_sound, first_sound) FROM _{side}_named
UNION ALL SELECT n, 'sound', joint(first_sound, last_sound) FROM _{side}_named WHERE first_sound <> last_sound
UNION ALL SELECT n, 'birth date', single(birthdate) FROM _{side}_named
UNION ALL SELECT n, 'birth date and initial', joint(birthdate, first_initial) FROM _{side}_named
UNION ALL SELECT n, 'birth date and initial', joint(birthdate, last_initial) FROM _{side}_named
    WHERE last_initial IS DISTINCT FROM first_initial
UNION ALL SELECT n, 'birth year and sound', joint(joint(birth_year, last_sound), first_initial) FROM _{side}_named
UNION ALL SELECT n, 'birth month and initial', joint(birth_month, first_initial) FROM _{side}_named
UNION ALL SELECT n, 'birth month and initial', joint(birth_month, last_initial) FROM _{side}_named
    WHERE last_initial IS DISTINCT FROM first_initial
UNION ALL SELECT n, 'birthday and name', joint(birthday, last_sound) FROM _{side}_named
UNION ALL SELECT n, 'birthday and name', joint(birthday, first_sound) FROM _{side}_heard
UNION ALL SELECT n, 'e-mail', single(email_clean) FROM _{side}_named
UNION ALL SELECT n, 'mailbox', single(mailbox) FROM _{side}_named
UNION ALL SELECT n, 'phone', single(phone) FROM (SELECT n, unnest(list_distinct(phone_tails)) AS phone FROM _{side}_named)
UNION ALL SELECT n, 'name and postal code', joint(last_sound, postal_code_clean) FROM _{side}_named
UNION ALL SELECT n, 'name and postal code', joint(first_sound, postal_code_clean) FROM _{side}_heard
UNION ALL SELECT n, 'last name and city', joint(last, city_clean) FROM _{side}_named
UNION ALL SELECT n, 'name and city', joint(last_sound, city_clean) FROM _{side}_named
UNION ALL SELECT n, 'name and city', joint(first_sound, city_clean) FROM _{side}_heard
UNION ALL SELECT n, 'name and street', joint(last_sound, street_start) FROM _{side}_named
UNION ALL SELECT n, 'name and street', joint(first_sound, street_start) FROM _{side}_heard
UNION ALL SELECT n, 'street and number', single(left(street_name, 6) || ' ' || street_number) FROM _{side}_named
UNION ALL SELECT n, 'postal code and number', single(postal_code_clean || ' ' || street_number) FROM _{side}_named
UNION ALL SELECT n, 'city and number', single(city_clean || ' ' || street_number || ' ' || coalesce(left(street_name, 2), '')) FROM _{side}_named
UNION ALL SELECT n, 'company and name', joint(employer_id, last_sound) FROM _{side}_named
UNION ALL SELECT n, 'company and name', joint(employer_id, first_sound) FROM _{side}_heard
UNION ALL SELECT n, 'company and last name', joint(employer_domain, last_sound) FROM _{side}_named
UNION ALL SELECT n, 'company and last name', joint(employer_key, last_sound) FROM _{side}_named

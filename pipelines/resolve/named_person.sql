-- What keys of people are made of, those rows alone that get keys. Sounds are numbers, and every name is listened to once:
-- the regular expressions are what block keys cost most.
CREATE OR REPLACE TEMP TABLE _{side}_sound AS
SELECT name, hash(sound(name)) AS sound
FROM (SELECT last_squashed AS name FROM {rows} UNION SELECT first_squashed FROM {rows}) WHERE name IS NOT NULL;
CREATE OR REPLACE TEMP TABLE _{side}_named AS
SELECT n, last_squashed AS last, first_squashed AS first, last[1] AS last_initial, first[1] AS first_initial,
    l.sound AS last_sound, f.sound AS first_sound, birthdate, birthdate[1:4] AS birth_year, birthdate[1:6] AS birth_month, birthdate[5:8] AS birthday,
    email_clean, CASE WHEN strpos(email_clean, '@') > 5 THEN split_part(email_clean, '@', 1) END AS mailbox, phone_tails,
    street_name, street_number, left(street_name, 5) AS street_start, postal_code_clean, city_clean, employer_id, employer_domain,
    employer_key
FROM {rows}
LEFT JOIN _{side}_sound l ON l.name = last_squashed LEFT JOIN _{side}_sound f ON f.name = first_squashed;
-- Those whose first name sounds other than the last: no key twice.
CREATE OR REPLACE TEMP VIEW _{side}_heard AS FROM _{side}_named WHERE first_sound IS DISTINCT FROM last_sound;

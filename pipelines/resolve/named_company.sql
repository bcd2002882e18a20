-- What keys of companies are made of, those rows alone that get keys. Every word is listened to once: the regular
-- expressions are what block keys cost most.
CREATE OR REPLACE TEMP TABLE _{side}_sound AS
SELECT word, hash(sound(word)) AS sound
FROM (SELECT DISTINCT word FROM _{side}_word WHERE weight >= 0.5 AND length(word) >= 4);
CREATE OR REPLACE TEMP TABLE _{side}_named AS
SELECT n, other_names, name_squashed, acronym, domain, phone_tail, street_name, street_number, postal_code_clean, city_clean
FROM {rows};

-- Chance: every value is a function of (row, what it is for, seed), so threads and order cannot change it.
CREATE MACRO number(name) AS getvariable(name);
CREATE MACRO draw(k, what) AS hash(k, what, getvariable('seed'));
CREATE MACRO chance(k, what) AS (draw(k, what) >> 11) / 9007199254740992.0;
CREATE MACRO below(k, what, n) AS (draw(k, what) % greatest(n, 1)::UBIGINT)::BIGINT;
CREATE MACRO pick(words, k, what) AS list_extract(words, 1 + below(k, what, len(words)));
-- Word lists are in order of use: the first words are drawn most.
CREATE MACRO common(words, k, what) AS list_extract(words, 1 + floor(len(words) * chance(k, what) ** 1.8)::BIGINT);
CREATE MACRO stretch(start, n, k, what) AS start + 1 + floor(n * chance(k, what) ** 1.6)::BIGINT;
CREATE MACRO evenly(start, n, k, what) AS start + 1 + below(k, what, n);

-- A permutation of 0..size-1 and its inverse.
CREATE MACRO scatter(k, step, shift, size) AS (k * step + shift) % greatest(size, 1);
CREATE MACRO gather(k, back, shift, size) AS (((k - shift) % size + size) % size) * back % size;

-- Salesforce ids: prefix, pod, serial in base 62, and the three letters that say which letters are capitals.
-- Serials stay under ten times 62^4, so their first place is a digit and the rest two pairs from a table.
SET VARIABLE digits62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
SET VARIABLE pair62 = (SELECT list(substr(getvariable('digits62'), 1 + (i // 62)::INT, 1) || substr(getvariable('digits62'), 1 + (i % 62)::INT, 1) ORDER BY i)
    FROM range(3844) AS t(i));
SET VARIABLE pair_capitals = (SELECT list((i // 62 BETWEEN 10 AND 35)::INT + 2 * (i % 62 BETWEEN 10 AND 35)::INT ORDER BY i) FROM range(3844) AS t(i));
CREATE MACRO low_pair(n) AS (1 + n % 3844)::INT;
CREATE MACRO high_pair(n) AS (1 + n // 3844 % 3844)::INT;
CREATE MACRO capital(text, i) AS (substr(text, i, 1) BETWEEN 'A' AND 'Z')::INT;
CREATE MACRO case_letter(capitals) AS substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ012345', 1 + capitals, 1);
CREATE MACRO with_serial(prefix, n) AS prefix || '5f00000' || (n // 14776336)
    || getvariable('pair62')[high_pair(n)] || getvariable('pair62')[low_pair(n)]
    || case_letter(capital(prefix, 1) + 2 * capital(prefix, 2) + 4 * capital(prefix, 3)) || 'A'
    || case_letter(2 * getvariable('pair_capitals')[high_pair(n)] + 8 * getvariable('pair_capitals')[low_pair(n)]);
CREATE MACRO salesforce_id(prefix, n) AS with_serial(prefix, n + 28629151);
SET VARIABLE user_ids = (SELECT list(salesforce_id('005', i) ORDER BY i) FROM range(getvariable('users')) AS t(i));
SET VARIABLE queue_ids = [salesforce_id('00G', 0), salesforce_id('00G', 1)];

-- Records are created evenly over the last years, in the order of their ids; stamps never run backwards.
CREATE MACRO created_second(k, seq, n, days) AS
    getvariable('as_of_s') - days * 86400 + floor((seq + chance(k, 'created')) / greatest(n, 1) * (days - 1) * 86400)::BIGINT;
CREATE MACRO modified_second(k, created) AS
    created + floor((getvariable('as_of_s') - 3600 - created) * chance(k, 'modified') ** 3)::BIGINT;
CREATE MACRO stamp_second(k, modified) AS least(getvariable('as_of_s') - 1,
    modified + CASE WHEN chance(k, 'stamp') < 0.3 THEN below(k, 'stamp.later', 432000) ELSE 0 END);
CREATE MACRO stamp_text(second) AS strftime(make_timestamp(second::BIGINT * 1000000), '%Y-%m-%dT%H:%M:%S.000Z');
CREATE MACRO day_text(second) AS strftime(make_timestamp(second::BIGINT * 1000000), '%Y-%m-%d');
CREATE MACRO owner_of(k) AS list_extract(getvariable('user_ids'), 1 + floor(getvariable('users') * chance(k, 'owner') ** 1.5)::BIGINT);
CREATE MACRO queue_of(k) AS pick(getvariable('queue_ids'), k, 'queue');

-- What people do to text.
CREATE MACRO typo_at(s, p, kind, letter) AS CASE kind
    WHEN 0 THEN substr(s, 1, p - 1) || substr(s, p + 1)
    WHEN 1 THEN substr(s, 1, p - 1) || substr(s, p + 1, 1) || substr(s, p, 1) || substr(s, p + 2)
    WHEN 2 THEN substr(s, 1, p) || substr(s, p, 1) || substr(s, p + 1)
    ELSE substr(s, 1, p - 1) || letter || substr(s, p + 1) END;
CREATE MACRO typo(s, k, what) AS CASE WHEN length(s) < 4 THEN s ELSE typo_at(s, 2 + below(k, what, length(s) - 2),
    below(k, what || '.kind', 4), substr('eainrtoslcudmh', 1 + below(k, what || '.letter', 14)::INT, 1)) END;
CREATE MACRO maybe_typo(s, k, what, share) AS CASE WHEN chance(k, what || '.typo') < share THEN typo(s, k, what) ELSE s END;
CREATE MACRO maybe(s, k, what, share) AS CASE WHEN chance(k, what) < share THEN s END;
CREATE MACRO slug(s) AS regexp_replace(lower(strip_accents(s)), '[^a-z0-9]+', '', 'g');
CREATE MACRO dashed(s) AS trim(regexp_replace(lower(strip_accents(s)), '[^a-z0-9]+', '-', 'g'), '-');
CREATE MACRO spelled(s, options, k, what) AS CASE WHEN coalesce(options, '') = '' THEN s
    ELSE pick(string_split(options, ';'), k, what) END;

-- Telephone numbers are drawn as national digits and written in the styles found in real orgs.
CREATE MACRO line_digits(k, what, n) AS (2 + below(k, what || '.first', 8)) || lpad(below(k, what, 100000000)::VARCHAR, 9, '3')[3:n + 1];
CREATE MACRO phone_home(area, line) AS '(' || area || ') ' || line[1:3] || '-' || line[4:];
CREATE MACRO phone_us(area, line, style) AS CASE
    WHEN style < 0.40 THEN phone_home(area, line)
    WHEN style < 0.60 THEN area || '-' || line[1:3] || '-' || line[4:]
    WHEN style < 0.70 THEN area || '.' || line[1:3] || '.' || line[4:]
    WHEN style < 0.80 THEN area || line
    WHEN style < 0.90 THEN '+1 ' || area || ' ' || line[1:3] || ' ' || line[4:]
    WHEN style < 0.95 THEN '1-' || area || '-' || line[1:3] || '-' || line[4:]
    ELSE area || ' ' || line[1:3] || ' ' || line[4:] END;
CREATE MACRO phone_world(dial, trunk, area, line, style) AS CASE
    WHEN style < 0.45 THEN '+' || dial || ' ' || area || ' ' || line
    WHEN style < 0.65 THEN trunk || area || ' ' || line[1:3] || ' ' || line[4:]
    WHEN style < 0.75 THEN trunk || area || '/' || line
    WHEN style < 0.85 THEN trunk || area || line
    WHEN style < 0.93 THEN '00' || dial || ' ' || area || ' ' || line
    ELSE '+' || dial || ' (0)' || area || ' ' || line[1:4] || '-' || line[5:] END;
CREATE MACRO phone(dial, trunk, area, line, style) AS
    CASE WHEN dial = '1' THEN phone_us(area, line, style) ELSE phone_world(dial, coalesce(trunk, ''), area, line, style) END;

-- A street form has a ~ for the name (or ends with it) and a # for the house number.
CREATE MACRO address(form, street, house) AS
    replace(CASE WHEN contains(form, '~') THEN replace(form, '~', street) ELSE form || street END, '#', house::VARCHAR);
CREATE MACRO shorter(s) AS regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(s,
    ' Street\b', ' St'), ' Avenue\b', ' Ave.'), ' Boulevard\b', ' Blvd'), ' Road\b', ' Rd'), 'straße', 'str.');
CREATE MACRO floor_line(k, what) AS pick(['Suite ', 'Ste ', 'Floor ', 'Unit ', 'P.O. Box ', '#'], k, what) || (1 + below(k, what || '.n', 900));

-- The company at a rank (company.sql), and the reference's own numbering of companies and people.
CREATE MACRO rank_w(r) AS scatter(least(r, getvariable('world') - 1), getvariable('world_step'), getvariable('world_shift'), getvariable('world'));
CREATE MACRO company_id(r) AS CASE WHEN r < getvariable('companies') THEN
    'C' || lpad((1 + scatter(r, getvariable('companies_step'), getvariable('companies_shift'), getvariable('companies')))::VARCHAR, 7, '0') END;
CREATE MACRO person_id(ri) AS 'P' || lpad((1 + scatter(ri, getvariable('people_step'), getvariable('people_shift'), getvariable('people')))::VARCHAR, 7, '0');

-- How a company (style 0 to 4) or a person builds the part before the @.
CREATE MACRO local_part(style, first_name, last_name) AS CASE style
    WHEN 0 THEN first_name || '.' || last_name WHEN 1 THEN first_name[1:1] || last_name WHEN 2 THEN first_name || '_' || last_name
    WHEN 3 THEN first_name || last_name[1:1] ELSE first_name || last_name END;

-- Columns every record has.
CREATE MACRO is_gone(kind) AS (kind IN ('deleted', 'merged'))::VARCHAR;
CREATE MACRO account_id(k) AS salesforce_id('001', scatter(k, getvariable('accounts_step'), getvariable('accounts_shift'), getvariable('accounts')));
CREATE MACRO contact_id(k) AS salesforce_id('003', scatter(k, getvariable('contacts_step'), getvariable('contacts_shift'), getvariable('contacts')));
CREATE MACRO lead_id(k) AS salesforce_id('00Q', scatter(k, getvariable('leads_step'), getvariable('leads_shift'), getvariable('leads')));
-- Account of a company by its rank, where it has one.
CREATE MACRO account_of_rank(r) AS CASE WHEN r < getvariable('matched') THEN r
    WHEN r >= getvariable('companies') AND r < getvariable('companies') + getvariable('account_primaries') - getvariable('matched')
        THEN r - getvariable('companies') + getvariable('matched') END;
CREATE MACRO primary_account_k(p) AS p // 81 * 100 + p % 81;

-- A name as a colleague types it: the nickname, the initial, capitals, the other alphabet, a slip.
CREATE MACRO first_text(native, latin, nicknames, in_script, k, what) AS CASE
    WHEN nicknames <> '' AND chance(k, what || '.nick') < 0.22 THEN pick(string_split(nicknames, '/'), k, what || '.nick.which')
    WHEN chance(k, what || '.initial') < 0.02 THEN substr(latin, 1, 1) || '.'
    WHEN in_script THEN native ELSE maybe_typo(latin_or_native(native, latin, k, what), k, what || '.first', 0.03) END;
CREATE MACRO latin_or_native(native, latin, k, what) AS CASE WHEN chance(k, what || '.accents') < 0.6 AND ascii(native) < 880 THEN native ELSE latin END;
CREATE MACRO in_script(script, k, what) AS script AND chance(k, what || '.script') < 0.45;
CREATE MACRO free_text(k) AS CASE below(k, 'description', 12)
    WHEN 0 THEN 'Met at the trade fair.' || chr(10) || 'Wants a quote, said "call me after the holidays".'
    WHEN 1 THEN 'Imported from spreadsheet, row ' || k || '; please "verify" before use'
    WHEN 2 THEN 'Line one' || chr(13) || chr(10) || 'Line two, with comma' || chr(13) || chr(10) || chr(13) || chr(10) || 'Line four'
    WHEN 3 THEN 'NA' WHEN 4 THEN 'None' WHEN 5 THEN 'Budget: 10'' x 12" signs, 50% off' || chr(9) || '(tab)'
    WHEN 6 THEN 'Préfère être contacté par e-mail – naïve café ☕' ELSE NULL END;
CREATE MACRO website_text(domain, k) AS CASE
    WHEN chance(k, 'website') < 0.35 THEN NULL
    WHEN chance(k, 'website.odd') < 0.012 THEN pick(['N/A', 'None', 'Yes', 'No', 'www', 'tbd'], k, 'website.junk')
    WHEN chance(k, 'website.odd') < 0.027 THEN 'www.facebook.com/' || split_part(domain, '.', 1)
    WHEN chance(k, 'website.odd') < 0.033 THEN 'www.' || domain || '; shop.' || domain
    ELSE pick(['http://www.', 'www.', 'https://', 'https://www.', ''], k, 'website.scheme') || domain
        || CASE WHEN chance(k, 'website.path') < 0.12 THEN pick(['/', '/contact', '/en/index.html', '/about-us?ref=crm'], k, 'website.page') ELSE '' END END;
CREATE MACRO mail_text(mail, k) AS CASE
    WHEN chance(k, 'mail.odd') < 0.015 THEN mail || '.invalid'
    WHEN chance(k, 'mail.odd') < 0.025 THEN upper(mail)
    WHEN chance(k, 'mail.odd') < 0.035 THEN typo(mail, k, 'mail')
    ELSE mail END;
CREATE MACRO street_of(street_i, script, house) AS address(getvariable('street_extra')[street_i],
    CASE WHEN script THEN getvariable('street_native')[street_i] ELSE getvariable('street_latin')[street_i] END, house);
CREATE MACRO country_text(country_name, spellings, k) AS CASE WHEN chance(k, 'country.spelling') < 0.3 THEN pick(spellings, k, 'country.which') ELSE country_name END;

-- One side of person matching, without the small integer key it gets when it is made a table. The employer of a Salesforce person comes from its account or its company name,
-- that of a reference person from the reference company.
SELECT s.{key} AS id,
    -- Another one where any value of the row is another.
    hash(s._input_hash, e.company_id, e.domain, e.name_key, e.name_tokens) AS mark,
    s.* EXCLUDE ({key}),
    replace(s.first_name_clean, ' ', '') AS first_squashed,
    replace(s.last_name_clean, ' ', '') AS last_squashed,
    array_to_string(s.name_tokens, ' ') AS name_key,
    -- A mailbox made from the name says no more than the name does, whatever the domain; digits make it one's own.
    CASE WHEN NOT regexp_matches(split_part(s.email_clean, '@', 1), '[0-9]{3}')
            AND (contains(regexp_replace(split_part(s.email_clean, '@', 1), '[^a-z]', '', 'g'), last_squashed)
                OR contains(regexp_replace(split_part(s.email_clean, '@', 1), '[^a-z]', '', 'g'), first_squashed))
        THEN NULL ELSE split_part(s.email_clean, '@', 1) END AS mailbox,
    right(regexp_replace(s.phone, '[^0-9]', '', 'g'), 9) AS phone_tail,
    right(regexp_replace(s.mobile, '[^0-9]', '', 'g'), 9) AS mobile_tail,
    nullif(list_filter([right(regexp_replace(s.phone, '[^0-9]', '', 'g'), 9),
        right(regexp_replace(s.mobile, '[^0-9]', '', 'g'), 9)], lambda x: x IS NOT NULL), []) AS phone_tails,
    CASE WHEN s.phone IS NULL THEN 0 ELSE coalesce(t.people, 1) END AS phone_people,
    e.company_id AS employer_id,
    coalesce(e.domain, s.company_domain) AS employer_domain,
    coalesce(s.company_name_key, e.name_key) AS employer_key,
    coalesce(s.company_name_tokens, e.name_tokens) AS employer_tokens
FROM {rows} s
LEFT JOIN ({employer}) e ON e.key = s.{key}
LEFT JOIN _{side}_phone t ON t.phone = s.phone

-- One side of person matching, without the small integer key it gets when it is made a table. The employer of a Salesforce
-- person comes from its account or its company name, that of a reference person from the reference company c.
SELECT s.{key} AS id,
    -- Another one where any value of the row is another.
    hash(s._input_hash, {employer_id}, c.domain, c.name_key, c.name_tokens) AS mark,
    -- What nobody asks for here is not carried along.
    s.* EXCLUDE ({key}, name_raw, title_clean, street_unit, email_domain, email_is_free, company_name_clean, company_name_core,
        company_name_key, company_name_tokens, company_domain, letters, _input_hash),
    replace(s.first_name_clean, ' ', '') AS first_squashed,
    replace(s.last_name_clean, ' ', '') AS last_squashed,
    array_to_string(s.name_tokens, ' ') AS name_key,
    -- A mailbox made from the name says no more than the name does, whatever the domain; digits make it one's own.
    CASE WHEN (contains(letters, last_squashed) OR contains(letters, first_squashed))
            AND NOT regexp_matches(split_part(s.email_clean, '@', 1), '[0-9]{3}')
        THEN NULL ELSE split_part(s.email_clean, '@', 1) END AS mailbox,
    phone_tail(s.phone) AS phone_tail,
    phone_tail(s.mobile) AS mobile_tail,
    CASE WHEN s.mobile IS NULL THEN CASE WHEN s.phone IS NOT NULL THEN [phone_tail] END
        WHEN s.phone IS NULL THEN [mobile_tail] ELSE [phone_tail, mobile_tail] END AS phone_tails,
    CASE WHEN s.phone IS NULL THEN 0 ELSE coalesce(t.people, 1) END AS phone_people,
    {employer_id} AS employer_id,
    coalesce(c.domain, s.company_domain) AS employer_domain,
    coalesce(s.company_name_key, c.name_key) AS employer_key,
    coalesce(s.company_name_tokens, c.name_tokens) AS employer_tokens
FROM (SELECT *, regexp_replace(split_part(email_clean, '@', 1), '[^a-z]', '', 'g') AS letters FROM {rows}) s
{employer}
LEFT JOIN _{side}_phone t ON t.phone = s.phone

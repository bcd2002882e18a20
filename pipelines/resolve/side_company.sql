-- One side of company matching, without the small integer key it gets when it is made a table.
SELECT s.{key} AS id,
    -- Another one where any value of the row is another.
    s._input_hash AS mark,
    -- What nobody asks for here is not carried along.
    s.* EXCLUDE ({key}, domain, domain_is_shared, name_raw, name_core, email_clean, street_unit, is_person,
        parent_id, _input_hash),
    CASE WHEN NOT s.domain_is_shared THEN s.domain END AS domain,
    replace(s.name_core, ' ', '') AS name_squashed,
    phone_tail(s.phone) AS phone_tail,
    -- How many places or companies share the name, the number, the domain, the address: 1 where it is one's own.
    coalesce(m.places, 1) AS name_places,
    coalesce(p.places, 1) AS phone_places,
    coalesce(d.places, 1) AS domain_places,
    coalesce(a.places, 1) AS street_places
FROM {rows} s
LEFT JOIN (FROM _crowd WHERE kind = 'name') m ON m.value = s.name_key
LEFT JOIN (FROM _crowd WHERE kind = 'phone') p ON p.value = phone_tail(s.phone)
LEFT JOIN (FROM _crowd WHERE kind = 'domain') d ON d.value = s.domain
LEFT JOIN (FROM _crowd WHERE kind = 'address') a ON a.value = address_of(s.street_number, s.street_name, s.postal_code_clean, s.city_clean)

-- One side of company matching, without the small integer key it gets when it is made a table.
SELECT {key} AS id,
    -- Another one where any value of the row is another.
    _input_hash AS mark,
    * EXCLUDE ({key}, domain),
    CASE WHEN NOT domain_is_shared THEN domain END AS domain,
    replace(name_core, ' ', '') AS name_squashed,
    right(regexp_replace(phone, '[^0-9]', '', 'g'), 9) AS phone_tail
FROM {rows}

-- Everything known of a pair that met, one row each: its keys and rung, its weights, what speaks against it. place is the
-- entity's place in the order of the ids.
SELECT pair.l, pair.r, hit.code AS rule_code, coalesce(hit.hits = 1, false) AS settled,
    coalesce(p.kinds, 0) AS kinds, s.* EXCLUDE (l, r), r.place,
    coalesce(l.country_code = r.country_code, false) AS same_country, {employees} AS employees, {veto} AS veto, {likeness}
FROM {pairs} pair
JOIN _left l ON l.n = pair.l
JOIN _right r ON r.n = pair.r
LEFT JOIN (
    -- The rung that decides comes first, else the first that proposes.
    SELECT l, r, arg_min(code, (hits <> 1, step)) AS code, min(hits) AS hits FROM _rung_hit GROUP BY l, r
) hit ON hit.l = pair.l AND hit.r = pair.r
LEFT JOIN _pair p ON p.l = pair.l AND p.r = pair.r
{alike}
LEFT JOIN _scored s ON s.l = pair.l AND s.r = pair.r

-- Everything known of a pair that met, one row each: its keys and rung, its weights, what speaks against it. place is the
-- entity's place in the order of the ids.
SELECT pair.l, pair.r, m.rule_code, m.settled, m.kinds, s.* EXCLUDE (l, r), {known}
FROM {pairs} pair
JOIN _paired m ON m.l = pair.l AND m.r = pair.r
JOIN _left l ON l.n = pair.l
JOIN _right r ON r.n = pair.r
{alike}
LEFT JOIN _scored s ON s.l = pair.l AND s.r = pair.r

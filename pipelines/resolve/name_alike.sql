-- How alike the names of each pair are, word by word, each word with its weight; computed once per pair because the
-- comparison asks several times. A misspelt word finds its partner and counts with the smaller of the two weights, as
-- far as it is alike. What is left on both sides is compared once more, written as one word: that finds words run
-- together or torn apart.
-- Three ways to the same numbers: names of the same words need no look, names of up to four words are compared column by
-- column, and the rest as lists, which takes five times as long.
-- Another name of the one is the name of the other: as alike as names can be.
CREATE OR REPLACE TEMP TABLE _renamed AS
SELECT p.l, p.r, 1 AS also FROM {pairs} p JOIN (FROM _right WHERE len(other_names) > 0) b ON b.n = p.r JOIN _left a ON a.n = p.l
WHERE list_contains(b.other_names, a.name_key) OR list_has_any(b.other_names, a.other_names)
UNION
SELECT p.l, p.r, 1 FROM {pairs} p JOIN (FROM _left WHERE len(other_names) > 0) a ON a.n = p.l JOIN _right b ON b.n = p.r
WHERE list_contains(a.other_names, b.name_key);
CREATE OR REPLACE TEMP TABLE _worded AS
SELECT p.l, p.r, a.same = b.same AS same, a.w1 IS NULL OR b.w1 IS NULL AS long, a.total
FROM {pairs} p LEFT JOIN (SELECT n, same, w1, total FROM _left_words) a ON a.n = p.l
LEFT JOIN (SELECT n, same, w1 FROM _right_words) b ON b.n = p.r;
-- sij: what word i of the one and word j of the other share.
CREATE OR REPLACE TEMP TABLE _likened AS
WITH met AS (
    SELECT p.l, p.r, a.joined = b.joined AS whole, a.w1, a.w2, a.w3, a.w4,
        a.g1, a.g2, a.g3, a.g4, a.z1, a.z2, a.z3, a.z4,
        b.w1 AS v1, b.w2 AS v2, b.w3 AS v3, b.w4 AS v4, b.g1 AS h1, b.g2 AS h2, b.g3 AS h3, b.g4 AS h4,
        b.z1 AS x1, b.z2 AS x2, b.z3 AS x3, b.z4 AS x4
    FROM (SELECT l, r FROM _worded WHERE NOT same AND NOT long) p JOIN _left_words a ON a.n = p.l JOIN _right_words b ON b.n = p.r
), shared AS (
    SELECT *, word_shared(w1, g1, z1, v1, h1, x1) AS s11, word_shared(w1, g1, z1, v2, h2, x2) AS s12, word_shared(w1, g1, z1, v3, h3, x3) AS s13, word_shared(w1, g1, z1, v4, h4, x4) AS s14,
        word_shared(w2, g2, z2, v1, h1, x1) AS s21, word_shared(w2, g2, z2, v2, h2, x2) AS s22, word_shared(w2, g2, z2, v3, h3, x3) AS s23, word_shared(w2, g2, z2, v4, h4, x4) AS s24,
        word_shared(w3, g3, z3, v1, h1, x1) AS s31, word_shared(w3, g3, z3, v2, h2, x2) AS s32, word_shared(w3, g3, z3, v3, h3, x3) AS s33, word_shared(w3, g3, z3, v4, h4, x4) AS s34,
        word_shared(w4, g4, z4, v1, h1, x1) AS s41, word_shared(w4, g4, z4, v2, h2, x2) AS s42, word_shared(w4, g4, z4, v3, h3, x3) AS s43, word_shared(w4, g4, z4, v4, h4, x4) AS s44
    FROM met
), half AS (
    SELECT *, larger(s11, s12) AS m1, larger(s13, s14) AS o1, larger(s21, s22) AS m2, larger(s23, s24) AS o2, larger(s31, s32) AS m3, larger(s33, s34) AS o3, larger(s41, s42) AS m4, larger(s43, s44) AS o4
    FROM shared
), best AS (
    SELECT *, larger(m1, o1) AS s1, larger(m2, o2) AS s2, larger(m3, o3) AS s3, larger(m4, o4) AS s4 FROM half
), one_side AS (
    SELECT *, s11 > 0 AND s11 = s1 OR s21 > 0 AND s21 = s2 OR s31 > 0 AND s31 = s3 OR s41 > 0 AND s41 = s4 AS p1,
        s12 > 0 AND s12 = s1 OR s22 > 0 AND s22 = s2 OR s32 > 0 AND s32 = s3 OR s42 > 0 AND s42 = s4 AS p2,
        s13 > 0 AND s13 = s1 OR s23 > 0 AND s23 = s2 OR s33 > 0 AND s33 = s3 OR s43 > 0 AND s43 = s4 AS p3,
        s14 > 0 AND s14 = s1 OR s24 > 0 AND s24 = s2 OR s34 > 0 AND s34 = s3 OR s44 > 0 AND s44 = s4 AS p4,
        s1::DOUBLE + s2::DOUBLE + s3::DOUBLE + s4::DOUBLE AS shared
    FROM best
)
SELECT l, r, whole, shared,
    CASE WHEN s1 = 0 THEN g1 ELSE 0 END::DOUBLE + CASE WHEN s2 = 0 THEN coalesce(g2, 0) ELSE 0 END
        + CASE WHEN s3 = 0 THEN coalesce(g3, 0) ELSE 0 END + CASE WHEN s4 = 0 THEN coalesce(g4, 0) ELSE 0 END AS alone,
    CASE WHEN p1 THEN 0 ELSE h1 END::DOUBLE + CASE WHEN p2 THEN 0 ELSE coalesce(h2, 0) END
        + CASE WHEN p3 THEN 0 ELSE coalesce(h3, 0) END + CASE WHEN p4 THEN 0 ELSE coalesce(h4, 0) END AS alone_right,
    CASE WHEN alone = 0 OR alone_right = 0 OR whole THEN 0 ELSE rest_alike(
        concat(CASE WHEN s1 = 0 THEN w1 END, CASE WHEN s2 = 0 THEN w2 END, CASE WHEN s3 = 0 THEN w3 END, CASE WHEN s4 = 0 THEN w4 END),
        concat(CASE WHEN NOT p1 THEN v1 END, CASE WHEN NOT p2 THEN v2 END, CASE WHEN NOT p3 THEN v3 END, CASE WHEN NOT p4 THEN v4 END)
    ) END AS found,
    -- As alike to two words, it is partner to one of them: the lists know which.
    NOT (partners(s1, s11, s12, s13, s14) AND partners(s2, s21, s22, s23, s24)
        AND partners(s3, s31, s32, s33, s34) AND partners(s4, s41, s42, s43, s44)) AS unclear
FROM one_side;
CREATE OR REPLACE TEMP TABLE _listed AS
WITH partnered AS (
    SELECT p.l, p.r, a.words, a.weights, b.words AS other_words, b.weights AS other_weights, a.joined = b.joined AS whole,
        list_transform(list_zip(a.words, a.weights), lambda x: list_max(list_transform(list_zip(b.words, b.weights),
            lambda y: {'s': (word_alike(x[1], y[1]) * least(x[2], y[2]))::FLOAT, 'w': y[1]}))) AS partners
    FROM (SELECT l, r FROM _worded WHERE NOT same AND long UNION ALL SELECT l, r FROM _likened WHERE unclear) p
    JOIN _left_words a ON a.n = p.l JOIN _right_words b ON b.n = p.r
), one_side AS (
    SELECT l, r, whole, list_sum(list_transform(partners, lambda x: x.s)) AS shared,
        list_filter(list_zip(words, weights, partners), lambda x: x[3].s = 0) AS rest,
        list_filter(list_zip(other_words, other_weights), lambda x: NOT list_contains(
            list_transform(list_filter(partners, lambda y: y.s > 0), lambda y: y.w), x[1])) AS other_rest
    FROM partnered
)
SELECT l, r, whole, shared,
    coalesce(list_sum(list_transform(rest, lambda x: x[2])), 0) AS alone,
    coalesce(list_sum(list_transform(other_rest, lambda x: x[2])), 0) AS alone_right,
    CASE WHEN len(rest) > 0 AND len(other_rest) > 0 THEN rest_alike(
        array_to_string(list_transform(rest, lambda x: x[1]), ''),
        array_to_string(list_transform(other_rest, lambda x: x[1]), '')) ELSE 0 END AS found
FROM one_side;
CREATE OR REPLACE TEMP TABLE _name_alike AS
WITH left_over AS (
    SELECT l, r, false AS whole, total::DOUBLE AS shared, 0 AS alone, 0 AS alone_right, 0 AS found FROM _worded WHERE same
    UNION ALL SELECT l, r, whole, shared, alone, alone_right, found FROM _likened WHERE NOT unclear
    UNION ALL SELECT l, r, whole, shared, alone, alone_right, found FROM _listed
    -- One of them has no name.
    UNION ALL SELECT l, r, NULL, NULL, NULL, NULL, NULL FROM _worded WHERE same IS NULL
), both_sides AS (
    SELECT l, r, CASE WHEN whole THEN shared + greatest(alone, alone_right) ELSE shared + found * least(alone, alone_right) END AS shared,
        CASE WHEN found > 0 OR whole THEN 0 ELSE alone END AS alone,
        CASE WHEN found > 0 OR whole THEN 0 ELSE alone_right END AS alone_right
    FROM left_over
)
SELECT l, r, CASE WHEN also = 1 THEN greatest(shared, 1) ELSE shared END::FLOAT AS shared,
    CASE WHEN also = 1 THEN 1 ELSE 2 * shared / (2 * shared + alone + alone_right + 1e-6) END::FLOAT AS alike,
    CASE WHEN also = 1 THEN 1 ELSE shared / (shared + least(alone, alone_right) + 1e-6) END::FLOAT AS contained,
    -- How telling the words are that each of the names has for itself, at least.
    CASE WHEN also = 1 THEN 0 ELSE least(alone, alone_right) END::FLOAT AS own
FROM both_sides LEFT JOIN _renamed USING (l, r);

-- What a model learns from: every candidate of the sampled records, and the certain links among them.
CREATE OR REPLACE TEMP TABLE _sample_pair AS
SELECT l, r FROM _pair SEMI JOIN _sample ON l = n
UNION SELECT l, r FROM _anchor SEMI JOIN _sample ON l = n;

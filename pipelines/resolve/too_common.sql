-- Records that share a key with the reference which was too common to make pairs of.
CREATE OR REPLACE TEMP TABLE _too_common AS
SELECT DISTINCT l.n FROM _left_key l JOIN _block b USING (h) WHERE NOT b.kept;

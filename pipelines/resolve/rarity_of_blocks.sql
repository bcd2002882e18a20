-- How telling a shared key is, by the size of its block rounded down to a power of two. A multiple of 1/1024, so that
-- sums are exact in whatever order they are made.
CREATE OR REPLACE TEMP MACRO block_rarity(total, entities) AS
    round((greatest(ln(total / (1 << floor(log2(greatest(entities, 1)))::INTEGER)), 0.0) + 0.1) * 1024) / 1024;

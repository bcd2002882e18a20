-- Records with a pair that was hopeless before its entity changed.
CREATE OR REPLACE TEMP TABLE _hopeful AS SELECT DISTINCT l AS n FROM _weighed_again WHERE match_weight >= $floor;
DROP TABLE _weighed_again;

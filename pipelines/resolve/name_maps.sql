-- The likeness of names per record, as a map by entity: for an engine that sees the two sides and no values of a pair.
CREATE OR REPLACE TEMP TABLE _left_names AS
SELECT l AS n, map(list(r ORDER BY r), list({'alike': alike, 'contained': contained, 'shared': shared, 'own': own} ORDER BY r)) AS names
FROM _name_alike GROUP BY l;

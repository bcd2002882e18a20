-- One row per object: the run that wrote its links last, its place in the order of all such runs, and hashes of its
-- model, its settings and the versions it was made by.
CREATE TABLE IF NOT EXISTS _state.link_run (
    object VARCHAR NOT NULL, run_id VARCHAR NOT NULL, place BIGINT NOT NULL,
    model VARCHAR, settings VARCHAR NOT NULL, version VARCHAR NOT NULL, model_version VARCHAR
);
-- What a standard table held when its basis was brought up to date: nothing need be done while it holds the same.
CREATE TABLE IF NOT EXISTS _state.basis_mark (kind VARCHAR NOT NULL, mark UBIGINT);
-- How many rows of a standard table were new, other or gone at a place; a run looks at those after its last one.
CREATE TABLE IF NOT EXISTS _state.basis_log (kind VARCHAR NOT NULL, place BIGINT NOT NULL, rows BIGINT NOT NULL);
-- Records with decisions in force, and a hash of those; place: since when it is this one. None left: NULL.
CREATE TABLE IF NOT EXISTS _state.decision_basis (
    object VARCHAR NOT NULL, id VARCHAR NOT NULL, basis UBIGINT, place BIGINT NOT NULL
);

"""The review page: where a steward sees why a record is linked, and decides. Reads the snapshot, writes decisions."""

"""Auditing whole tables, writing the snapshot analysts read, and the record of each run."""

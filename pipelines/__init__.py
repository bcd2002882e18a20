"""How: the steps themselves, framework-free, functions over a DuckDB connection. No ``dagster`` here."""

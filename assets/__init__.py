"""What: one thin Dagster asset per published table, in the order data flows. No SQL and no logic here."""

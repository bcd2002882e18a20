"""With what: plain classes for Salesforce, the warehouse, landing files, decisions. ``dagster`` only in ``wiring.py``."""

"""With what: plain classes for Salesforce, the warehouse, landing files. ``dagster`` only in ``wiring.py``."""

"""Promises: table contracts (ODCS YAML under ``tables/``), the settings model and the error vocabulary.

The lowest room: it imports nothing else of the project. Nothing here opens a connection.
"""

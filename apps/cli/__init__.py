"""The command ``crosswalk``: one module per subcommand, each with a click command named ``command``."""

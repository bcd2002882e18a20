"""``crosswalk check``: the short form of ``crosswalk settings check``."""

from apps.cli.settings_check import check as command

__all__ = ["command"]

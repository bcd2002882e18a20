"""Assembles schedules, assets and resources into one ``dg.Definitions``; nothing else belongs here."""

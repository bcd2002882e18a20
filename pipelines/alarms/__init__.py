"""Alarms: what is wrong although the job succeeded; how each is found, kept in ``ops.alarm`` and told to people.

``found`` asks the tables of the last runs, ``record`` keeps what is on and clears what is over, ``delivery`` hands it
to the webhook and the mail server. When a scheduled night counts as missed is said by ``schedules.watch``.
"""

"""From raw fields to the values matching sees: names, domains, e-mails, phones, addresses, dates, as ``standard.*``.

What two records have in common is not decided here; see ``pipelines.resolve``.
"""

from pipelines.standardize.standardize import TABLES, StandardResult, standardize

__all__ = ["TABLES", "StandardResult", "standardize"]

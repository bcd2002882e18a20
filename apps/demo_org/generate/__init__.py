"""The demo data: a believable org, its reference database and the truth between them, from one seed.

Here: word lists, the plan of counts, and the SQL that draws every value from ``hash(row, what, seed)``.
Not here: any normalisation. Nothing is shared with ``pipelines``, or the matcher would be marked by itself.
"""

from apps.demo_org.generate.build import DemoSummary, generate_demo

__all__ = ["DemoSummary", "generate_demo"]

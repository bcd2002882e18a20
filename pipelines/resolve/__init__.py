"""From standard values to links: rungs, candidates, the Splink model, human decisions, ``crosswalk.*``.

How raw fields are cleaned is not decided here; see ``pipelines.standardize``.
"""

from pipelines.resolve.explain import Explanation, explain
from pipelines.resolve.resolve import ResolveResult, resolve

__all__ = ["Explanation", "ResolveResult", "explain", "resolve"]

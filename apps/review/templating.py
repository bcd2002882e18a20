"""The Jinja environment of all pages: its filters and functions. Every value is escaped."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from apps.review import formats
from apps.review.candidate_map import candidate_map
from apps.review.differences import marked
from apps.review.waterfall import waterfall
from pipelines.resolve.hopeless import FLOOR


@cache
def environment() -> Environment:
    """Return the environment of all pages; a name a template misspells is an error, not an empty word."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "value": formats.value,
        "share": formats.share,
        "bits": formats.bits,
        "money": formats.money,
        "count": formats.count,
        "moment": formats.moment,
        "comma": ", ".join,
        "query": formats.query,
        "words": formats.words,
        "filled": formats.filled,
        "called": formats.called,
    }
    made.globals |= {"marked": marked, "waterfall": waterfall, "candidate_map": candidate_map, "hopeless_below": FLOOR}
    return made

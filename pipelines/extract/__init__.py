"""From the org and the reference files into typed tables; what the values mean is for later steps."""

from pipelines.extract.download import download_object
from pipelines.extract.lists import land_lists, load_list_membership
from pipelines.extract.load import load_object
from pipelines.extract.results import LoadResult
from pipelines.extract.schema import refresh_schema
from pipelines.extract.submit import submit_jobs

__all__ = [
    "LoadResult",
    "download_object",
    "land_lists",
    "load_list_membership",
    "load_object",
    "refresh_schema",
    "submit_jobs",
]

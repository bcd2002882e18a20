"""The demo org: a local Salesforce over HTTP, for the demo, the tests and the benchmarks.

Here: the HTTP half (OAuth, REST, Bulk API 2.0, list views, faults, request log). What the org holds and
how SOQL is answered lives in ``store/``; believable data in ``generate/``. Nothing in ``pipelines/`` may
import from here: to Crosswalk the demo org is just another Salesforce.
"""

"""Salesforce as a resource: signing in, reading by REST and Bulk API 2.0, limits, errors. Never writing."""

from resources.salesforce.auth import Identity
from resources.salesforce.credentials import Credentials, Secret
from resources.salesforce.org import SalesforceOrg
from resources.salesforce.session import RetryPolicy

__all__ = ["Credentials", "Identity", "RetryPolicy", "SalesforceOrg", "Secret"]

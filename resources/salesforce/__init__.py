"""Salesforce as a resource: signing in, reading by REST and Bulk API 2.0, limits, errors. Never writing."""

from resources.salesforce.auth import Identity
from resources.salesforce.credentials import Credentials
from resources.salesforce.org import SalesforceOrg
from resources.salesforce.secret import Secret
from resources.salesforce.session import RetryPolicy
from resources.salesforce.token_store import ConnectionRecord, TokenStore

__all__ = ["ConnectionRecord", "Credentials", "Identity", "RetryPolicy", "SalesforceOrg", "Secret", "TokenStore"]

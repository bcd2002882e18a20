"""Connecting to the org for a command that asks it something; nothing is written there."""

import os

from data_contracts.settings import Settings
from resources.home import Home
from resources.salesforce import SalesforceOrg, TokenStore


def connect_org(settings: Settings) -> SalesforceOrg:
    """Return the org of the settings and the ``SALESFORCE_*`` variables, signed in to.

    Raises SettingsError or SalesforceError where that cannot be.
    """
    return SalesforceOrg.connect(settings.connection, os.environ, store=TokenStore(Home.from_environment().root))

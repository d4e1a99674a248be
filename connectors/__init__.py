"""Connectors pull ad platforms: accounts and report rows exactly as delivered, page by page, with a proof of completeness.

A folder per platform: `reports.py` is the catalogue as data, `settings.py` what an integration may set, `client.py` the connector.
This room alone imports the platforms' client classes; rows leave it as Arrow tables in the report's schema.
"""

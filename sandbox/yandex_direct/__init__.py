"""Yandex.Direct API v5 on loopback: Reports (TSV, queue, 201 / 202 / 200), campaigns, ad groups, ads, clients, agency clients, changes.

Follows yandex.com/dev/direct (reports, errors, limits) and recorded responses.
"""

"""Prometheus metrics of the API and of what the pipelines left in store and ledger."""

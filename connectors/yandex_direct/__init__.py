"""Yandex.Direct over its Reports service (TSV) and JSON API: daily statistics at account, campaign and ad level."""

"""Dagster assets and checks, thin: ask, store, report. Touches Dagster, and the world only through services."""

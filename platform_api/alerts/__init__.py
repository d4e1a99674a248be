"""Alerts that stand: read, acknowledge, snooze."""

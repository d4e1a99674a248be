"""Dagster definitions: jobs, schedules, sensors, resources. Loads without home, server or network."""

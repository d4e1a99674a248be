"""Costs of any channel from a CSV file: read by a mapping, checked row by row, and never connected to anything."""

"""Artifacts, their versions, approval and export."""

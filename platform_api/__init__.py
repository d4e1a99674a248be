"""The HTTP API: one FastAPI application with a folder per topic, and the typed client that other programs use.

Touches the outside as a server on loopback; the only room that imports fastapi. Business rules live in `services`.
"""

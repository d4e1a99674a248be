"""Logging in and out: access tokens, rotating refresh tokens, roles read per request."""

"""Delivery tells people outside: one notifier over e-mail, Slack, Telegram and webhooks; each message once.

Touches SMTP servers and HTTP endpoints of others, and the world only through services.
"""

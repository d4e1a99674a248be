"""Yandex Metrica on loopback: counters and goals, the Reporting API (stat/v1/data), and the Logs API with its queue and quota.

Follows yandex.com/dev/metrika (management, stat, logs, quotas, errors) and the recorded answers.
"""

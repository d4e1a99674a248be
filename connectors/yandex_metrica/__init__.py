"""Yandex Metrica: counters and goals, traffic through the Reporting API, visits and hits through the Logs API."""

"""The vocabulary of the platform, without I/O: platforms, windows, money, reports, facts, documents, ports, errors."""

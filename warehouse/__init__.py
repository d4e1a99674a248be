"""The warehouse: ClickHouse (embedded or by URL), raw tables and their loads, builds, and the one door to numbers.

The only room that imports clickhouse_connect, chdb and sqlglot.
"""

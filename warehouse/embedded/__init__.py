"""The embedded ClickHouse: a server process that owns one chDB directory and speaks ClickHouse's HTTP interface on loopback.

`python -m warehouse.embedded --home DIR` starts it; `warehouse.client.Warehouse` attaches to it or starts it by itself.
"""

"""The DDL of a cluster: replicated local tables, and distributed ones over them, made from the single server's own statements.

Shard key: cityHash64(organization_id). One organization's rows live on one shard, so joins of its slices with its rows stay local,
a bucket's partition is replaced where it lies, and a question in one scope asks one shard. dbt does the same for its models by
`cluster`, `engine` and `sharding_key` (dbt_project.yml, target `cluster`). Generated and compared with golden files, not run here.
"""

import re

SHARD_KEY = "cityHash64({organization})"
LOCAL = "_local"
_TABLE = re.compile(r"CREATE TABLE IF NOT EXISTS (?P<database>\w+)\.(?P<name>\w+) \((?P<body>.*)\) ENGINE = MergeTree(?P<rest>.*)", re.DOTALL)


def clustered(statement: str, cluster: str) -> list[str]:
    """Return a CREATE TABLE as replicated and distributed statements; any other statement gets ON CLUSTER alone.

    Ledger inserts need insert_quorum = 'auto' with select_sequential_consistency = 1 on such a server (`warehouse.leases` says why).
    """
    found = _TABLE.fullmatch(statement.strip())
    if found is None:
        return [re.sub(r"^(CREATE (?:DATABASE|MATERIALIZED VIEW|VIEW) IF NOT EXISTS [\w.]+)", rf"\1 ON CLUSTER {cluster}", statement.strip())]
    database, name, body, rest = (found[part] for part in ("database", "name", "body", "rest"))
    local = f"CREATE TABLE IF NOT EXISTS {database}.{name}{LOCAL} ON CLUSTER {cluster} ({body})"
    organization = next((column for column in ("_organization_id", "organization_id") if re.search(rf"(^|[\s`(,]){column}\b", body)), "")
    key = SHARD_KEY.format(organization=organization) if organization else "1"
    return [
        f"{local} ENGINE = ReplicatedMergeTree('/clickhouse/tables/{{shard}}/{database}/{name}', '{{replica}}'){rest}",
        f"CREATE TABLE IF NOT EXISTS {database}.{name} ON CLUSTER {cluster} AS {database}.{name}{LOCAL}"
        f" ENGINE = Distributed('{cluster}', '{database}', '{name}{LOCAL}', {key})",
    ]

CREATE DATABASE IF NOT EXISTS raw ON CLUSTER mrm;
CREATE DATABASE IF NOT EXISTS staging ON CLUSTER mrm;
CREATE DATABASE IF NOT EXISTS intermediate ON CLUSTER mrm;
CREATE DATABASE IF NOT EXISTS marts ON CLUSTER mrm;
CREATE TABLE IF NOT EXISTS raw.loads_local ON CLUSTER mrm (
    load_id String,
    organization_id LowCardinality(String),
    integration_id LowCardinality(String),
    platform LowCardinality(String),
    report LowCardinality(String) COMMENT 'the raw table',
    account_id String,
    since Date,
    until Date,
    observed_at DateTime64(6, 'UTC') COMMENT 'the clock of the home when the pull began',
    committed_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') COMMENT 'the wall clock of the server',
    account_today Date COMMENT 'the date in the account when the pull began: only earlier dates are complete',
    snapshot Bool,
    proof String,
    dates Array(Date) COMMENT 'every date of the window, empty ones too',
    row_counts Array(UInt64),
    hashes Array(String),
    stored Array(Bool) COMMENT 'false: verified, the rows live in an older load',
    rows_load_id Array(String) COMMENT 'the load that holds the rows of each date',
    rows UInt64 COMMENT 'rows delivered, stored or verified'
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/raw/loads', '{replica}') ORDER BY (organization_id, integration_id, report, account_id, load_id);
CREATE TABLE IF NOT EXISTS raw.loads ON CLUSTER mrm AS raw.loads_local ENGINE = Distributed('mrm', 'raw', 'loads_local', cityHash64(organization_id));
CREATE TABLE IF NOT EXISTS raw.load_leases_local ON CLUSTER mrm (
        load_id String, organization_id String, integration_id String, report String, account_id String,
        state LowCardinality(String) COMMENT 'open, renewed, abandoned, fenced or swept',
        expires_at DateTime64(6, 'UTC'), noted_at DateTime64(6, 'UTC')
    ) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/raw/load_leases', '{replica}') ORDER BY load_id;
CREATE TABLE IF NOT EXISTS raw.load_leases ON CLUSTER mrm AS raw.load_leases_local ENGINE = Distributed('mrm', 'raw', 'load_leases_local', cityHash64(organization_id));
CREATE TABLE IF NOT EXISTS raw.current_slices_local ON CLUSTER mrm (
        build_id UInt64, report LowCardinality(String), date Date, organization_id LowCardinality(String), integration_id LowCardinality(String),
        account_id String, load_id String COMMENT 'the load that holds the rows', row_count UInt64, content_hash String, observed_at DateTime64(6, 'UTC')
    ) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/raw/current_slices', '{replica}') PARTITION BY build_id ORDER BY (report, date, organization_id, integration_id, account_id)
        SETTINGS index_granularity = 512;
CREATE TABLE IF NOT EXISTS raw.current_slices ON CLUSTER mrm AS raw.current_slices_local ENGINE = Distributed('mrm', 'raw', 'current_slices_local', cityHash64(organization_id));
CREATE TABLE IF NOT EXISTS raw.current_months_local ON CLUSTER mrm (
        build_id UInt64, report LowCardinality(String), organization_id LowCardinality(String), partition UInt32, slices UInt64, digest UInt64
    ) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/raw/current_months', '{replica}') PARTITION BY build_id ORDER BY (report, organization_id, partition);
CREATE TABLE IF NOT EXISTS raw.current_months ON CLUSTER mrm AS raw.current_months_local ENGINE = Distributed('mrm', 'raw', 'current_months_local', cityHash64(organization_id));
CREATE TABLE IF NOT EXISTS raw.pinned_pairs_local ON CLUSTER mrm (
        build_id UInt64, organization_id LowCardinality(String), partition UInt32
    ) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/raw/pinned_pairs', '{replica}') PARTITION BY build_id ORDER BY (organization_id, partition);
CREATE TABLE IF NOT EXISTS raw.pinned_pairs ON CLUSTER mrm AS raw.pinned_pairs_local ENGINE = Distributed('mrm', 'raw', 'pinned_pairs_local', cityHash64(organization_id));
CREATE MATERIALIZED VIEW IF NOT EXISTS raw.current_months_feed ON CLUSTER mrm TO raw.current_months AS
        SELECT build_id, report, organization_id, toYYYYMM(date) AS partition, count() AS slices,
               sumWithOverflow(sipHash64(integration_id, account_id, date, row_count, content_hash)) AS digest
        FROM raw.current_slices GROUP BY build_id, report, organization_id, partition;
CREATE TABLE IF NOT EXISTS raw.build_events_local ON CLUSTER mrm (
        event_id UInt64, build_id UInt64,
        event LowCardinality(String) COMMENT 'pinned, beat, published, failed; restored: the last published build is pinned again',
        noted_at DateTime64(6, 'UTC'), expires_at DateTime64(6, 'UTC'), owner String,
        position UInt64, partitions Array(UInt32), changed_slices UInt64, is_full Bool, models_checksum String, why String
    ) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/raw/build_events', '{replica}') ORDER BY event_id;
CREATE TABLE IF NOT EXISTS raw.build_events ON CLUSTER mrm AS raw.build_events_local ENGINE = Distributed('mrm', 'raw', 'build_events_local', 1);
CREATE TABLE IF NOT EXISTS raw.tombstones_local ON CLUSTER mrm (
        tombstone_id String, scope LowCardinality(String) COMMENT 'organization, integration or visitor forgotten; superseded loads dropped by retention',
        organization_id String, subject String COMMENT 'the id that was forgotten; for retention the instant from which on as_of answers',
        event LowCardinality(String) COMMENT 'begun or done', noted_at DateTime64(6, 'UTC'), noted_by String, rows UInt64
    ) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/raw/tombstones', '{replica}') ORDER BY (scope, organization_id, subject, noted_at);
CREATE TABLE IF NOT EXISTS raw.tombstones ON CLUSTER mrm AS raw.tombstones_local ENGINE = Distributed('mrm', 'raw', 'tombstones_local', cityHash64(organization_id));
CREATE TABLE IF NOT EXISTS raw.quality_results_local ON CLUSTER mrm (
        checked_at DateTime64(6, 'UTC'), check LowCardinality(String), organization_id LowCardinality(String), platform LowCardinality(String),
        account_id String, status LowCardinality(String) COMMENT 'ok, warn or fail', detail String
    ) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/raw/quality_results', '{replica}') ORDER BY (organization_id, platform, account_id, check, checked_at);
CREATE TABLE IF NOT EXISTS raw.quality_results ON CLUSTER mrm AS raw.quality_results_local ENGINE = Distributed('mrm', 'raw', 'quality_results_local', cityHash64(organization_id));
CREATE TABLE IF NOT EXISTS marts.user_events_local ON CLUSTER mrm (
        timestamp DateTime, user_id String, organization_id String, event_name String, event_properties String COMMENT 'JSON',
        session_id String, device_type String, browser String
    ) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/marts/user_events', '{replica}') PARTITION BY toYYYYMM(timestamp) ORDER BY (organization_id, user_id, timestamp);
CREATE TABLE IF NOT EXISTS marts.user_events ON CLUSTER mrm AS marts.user_events_local ENGINE = Distributed('mrm', 'marts', 'user_events_local', cityHash64(organization_id));
CREATE TABLE IF NOT EXISTS marts.builds_local ON CLUSTER mrm (
        build_id UInt64, position UInt64, started_at DateTime64(6, 'UTC'), finished_at DateTime64(6, 'UTC'), models_built UInt32,
        tests_passed UInt32, tests_failed UInt32, models_checksum String, is_full Bool, partitions Array(UInt32), changed_slices UInt64
    ) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/marts/builds', '{replica}') ORDER BY build_id;
CREATE TABLE IF NOT EXISTS marts.builds ON CLUSTER mrm AS marts.builds_local ENGINE = Distributed('mrm', 'marts', 'builds_local', 1);
CREATE TABLE IF NOT EXISTS raw.raw_google_ads__ad_daily_local ON CLUSTER mrm (`_load_id` String, `_organization_id` LowCardinality(String), `_integration_id` LowCardinality(String), `_account_id` String, `_date` Date, `day` Date COMMENT 'Date', `spend` Nullable(Decimal(18, 6)) COMMENT 'Spend' CODEC(T64, ZSTD(1))) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/raw/raw_google_ads__ad_daily', '{replica}') PARTITION BY toYYYYMM(_date) ORDER BY (_organization_id, _integration_id, _account_id, _date, _load_id);
CREATE TABLE IF NOT EXISTS raw.raw_google_ads__ad_daily ON CLUSTER mrm AS raw.raw_google_ads__ad_daily_local ENGINE = Distributed('mrm', 'raw', 'raw_google_ads__ad_daily_local', cityHash64(_organization_id));

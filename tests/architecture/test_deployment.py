"""What deploy/ says fits together: names that are named exist, and Dagster itself loads the team's instance."""

import os
import subprocess
import sys

import psycopg
import pytest
import yaml


@pytest.fixture(scope="module")
def documents(repository):
    folder = repository / "deploy" / "kubernetes"
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    return [document for name in [*listed, "secrets.example.yaml"] for document in yaml.safe_load_all((folder / name).read_text())]


@pytest.fixture(scope="module")
def instance(repository):
    return yaml.safe_load((repository / "deploy" / "kubernetes" / "dagster-instance.yaml").read_text())


def named(documents, kind):
    return {d["metadata"]["name"]: d for d in documents if d["kind"] == kind}


def test_whatever_a_workload_names_exists(documents, instance):
    known = {kind: set(named(documents, kind)) for kind in ("ConfigMap", "Secret", "PersistentVolumeClaim", "ServiceAccount", "Service")}
    known["ConfigMap"].add("dagster-instance")
    for name, deployment in named(documents, "Deployment").items():
        pod = deployment["spec"]["template"]
        assert pod["metadata"]["labels"] == deployment["spec"]["selector"]["matchLabels"], name
        spec = pod["spec"]
        assert spec.get("serviceAccountName", "dagster") in known["ServiceAccount"]
        volumes = {v["name"]: v for v in spec["volumes"]}
        for volume in volumes.values():
            assert volume.get("configMap", {}).get("name", "dagster-instance") in known["ConfigMap"]
            assert volume.get("persistentVolumeClaim", {}).get("claimName", "mrm-home") in known["PersistentVolumeClaim"]
        for container in spec["containers"]:
            assert {m["name"] for m in container["volumeMounts"]} == set(volumes), name
            for source in container["envFrom"]:
                assert source.get("configMapRef", {"name": "mrm-settings"})["name"] in known["ConfigMap"]
                assert source.get("secretRef", {"name": "mrm-secrets"})["name"] in known["Secret"]
    launcher = instance["run_launcher"]["config"]
    assert set(launcher["env_config_maps"]) | {launcher["instance_config_map"]} <= known["ConfigMap"]
    assert set(launcher["env_secrets"]) <= known["Secret"]
    assert launcher["service_account_name"] in known["ServiceAccount"]
    assert {s["metadata"]["name"] for s in documents if s["kind"] == "Service"} <= set(named(documents, "Deployment"))


def test_no_manifest_holds_a_secret_or_runs_as_root(documents):
    for name, deployment in named(documents, "Deployment").items():
        assert deployment["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"], name
    secrets = named(documents, "Secret")["mrm-secrets"]["stringData"]
    assert all("example" in value or "password" not in value for value in secrets.values())
    assert not set(secrets) & set(named(documents, "ConfigMap")["mrm-settings"]["data"])


@pytest.fixture
def empty_database(postgres_template):
    """The URL of a database that our own migrations never saw: both tools keep a table alembic_version."""
    name = "dagster_test"
    with psycopg.connect(postgres_template.superuser_url, autocommit=True) as connection:
        connection.execute(f"create database {name} owner mrm")
        yield postgres_template.url.rsplit("/", 1)[0] + f"/{name}"
        connection.execute(f"drop database {name} with (force)")


def test_dagster_loads_the_instance_with_its_history_in_postgresql(repository, empty_database, tmp_path):
    pytest.importorskip("dagster_postgres")
    pytest.importorskip("dagster_k8s")
    (tmp_path / "dagster.yaml").write_text((repository / "deploy" / "kubernetes" / "dagster-instance.yaml").read_text())
    code = """
import dagster as dg
import kubernetes
kubernetes.config.load_incluster_config = lambda *a, **k: None
instance = dg.DagsterInstance.get()
instance.event_log_storage.initialize_concurrency_limit_to_default("google_ads")
instance.add_dynamic_partitions("integrations", ["ga4:a"])
config = instance.get_concurrency_config().run_queue_config
limits = {l.name: l.limit for l in instance.event_log_storage.get_pool_limits()}
print(type(instance.event_log_storage).__name__, type(instance.run_launcher).__name__, type(instance.run_coordinator).__name__)
print(config.max_concurrent_runs, sorted(l["key"] for l in config.tag_concurrency_limits), limits, instance.get_dynamic_partitions("integrations"))
"""
    environment = {**os.environ, "DAGSTER_HOME": str(tmp_path), "DAGSTER_POSTGRES_URL": empty_database, "DAGSTER_DISABLE_TELEMETRY": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    kinds, limits = done.stdout.strip().splitlines()[-2:]
    assert kinds == "PostgresEventLogStorage K8sRunLauncher QueuedRunCoordinator"
    assert limits == "6 ['dagster/backfill', 'mrm/sync_request'] {'google_ads': 1} ['ga4:a']"

"""deploy/kubernetes: every object is one that Kubernetes takes, and keeps what was promised."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from otp_service.server.waitress_server import DRAIN_SECONDS
from otp_service.settings import variables
from tests.deploy.kustomize import EXAMPLE, KUBERNETES, Object, build, pod_of
from tests.settings.environments import GUPSHUP

VERSIONS = ["1.31.0", "1.33.0", "1.35.0", "1.37.0"]  # podFailurePolicy is stable since 1.31
OBJECTS = build(EXAMPLE)
PODS = {each["metadata"]["name"]: each for each in OBJECTS if pod_of(each)}
pods = pytest.mark.parametrize("pod", PODS.values(), ids=PODS)


def one(kind: str, name: str) -> Object:
    (found,) = (
        each for each in OBJECTS if (each["kind"], each["metadata"]["name"]) == (kind, name)
    )
    return found


def container(pod: Object) -> Any:
    (found,) = pod_of(pod)["containers"]
    return found


def labels_of(each: Object) -> dict[str, str]:
    labels: dict[str, str] = each["spec"]["template"]["metadata"]["labels"]
    return labels


def picked(selector: dict[str, str]) -> set[str]:
    """The pods that a selector with these labels finds."""
    return {name for name, pod in PODS.items() if selector.items() <= labels_of(pod).items()}


def found_in(value: Any, key: str) -> Iterator[Any]:
    """Whatever stands under this key, at any depth."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from [each] if name == key else found_in(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from found_in(each, key)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "each", OBJECTS, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}"
)
def test_an_object_is_one_that_kubernetes_knows(each: Object, version: str) -> None:
    kubernetes_validate.validate(each, version, strict=True)


def test_kustomize_itself_puts_the_same_together(tmp_path: Path) -> None:
    """But for the hashes in names that are made, which whoever uses them has, too."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("there is no kubectl: Debian's own is older than what is used here")
    shutil.copytree(KUBERNETES, tmp_path / "kubernetes")
    folder = tmp_path / "kubernetes" / "overlays" / "example"
    (folder / "secrets.env.example").rename(folder / "secrets.env")
    ran = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, check=True)
    text = re.sub(r"\b(otp-settings|otp-secrets)-[0-9a-z]{10}\b", r"\1", ran.stdout)
    theirs = [each for each in yaml.safe_load_all(text) if each]
    assert _by_name(theirs).keys() == _by_name(OBJECTS).keys()
    for key, each in _by_name(theirs).items():
        if key != ("Secret", "otp-secrets"):
            assert each == _by_name(OBJECTS)[key]


def _by_name(objects: list[Object]) -> dict[tuple[str, str], Object]:
    return {(each["kind"], each["metadata"]["name"]): each for each in objects}


@pods
def test_a_pod_may_do_nothing_that_it_need_not(pod: Object) -> None:
    spec = pod_of(pod)
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container(pod)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert (
        one("Namespace", "otp")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        == "restricted"
    )


@pods
def test_a_pod_has_bounds_and_two_places_to_write_to(pod: Object) -> None:
    resources = container(pod)["resources"]
    assert resources["requests"].keys() == {"cpu", "memory"}
    assert resources["limits"].keys() == {"memory"}
    mounts = {each["name"]: each["mountPath"] for each in container(pod)["volumeMounts"]}
    assert mounts == {"instance": "/app/instance", "tmp": "/tmp"}
    volumes = {each["name"]: each["emptyDir"]["sizeLimit"] for each in pod_of(pod)["volumes"]}
    assert volumes.keys() == mounts.keys()


@pods
def test_a_pod_gets_its_settings_and_no_variables_of_kubernetes(pod: Object) -> None:
    """A service called otp would put OTP_PORT and others beside them."""
    assert pod_of(pod)["enableServiceLinks"] is False
    names = [next(iter(each.values()))["name"] for each in container(pod)["envFrom"]]
    assert names == ["otp-settings", "otp-secrets"]
    assert one("ConfigMap", names[0])
    assert one("Secret", names[1])


def test_what_is_set_is_a_setting() -> None:
    settings = one("ConfigMap", "otp-settings")["data"]
    secrets = one("Secret", "otp-secrets")["stringData"]
    assert settings.keys() | secrets.keys() <= variables(GUPSHUP).keys()
    assert settings["FALLBACK_DATABASE_URL"] == "off"
    assert settings["OTP_WORKER"] == "off"
    assert (settings["HOST"], settings["PORT"]) == ("0.0.0.0", "8000")


def test_no_secret_is_in_the_repository() -> None:
    assert "secrets.env" in (EXAMPLE / ".gitignore").read_text().split()
    secrets = one("Secret", "otp-secrets")["stringData"]
    assert "PASSWORD" in secrets.pop("DATABASE_URL")
    assert set(secrets.values()) == {""}


def test_a_server_comes_in_when_it_is_ready_and_stays_while_it_lives() -> None:
    server = container(PODS["otp-server"])
    paths = {
        name: server[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")
    }
    assert {name: get["path"] for name, get in paths.items()} == {
        "startup": "/ready",
        "readiness": "/health",
        "liveness": "/health",
    }
    (port,) = server["ports"]
    assert {get["port"] for get in paths.values()} == {port["name"]}
    assert str(port["containerPort"]) == one("ConfigMap", "otp-settings")["data"]["PORT"]


@pytest.mark.parametrize("name", ["otp-server", "otp-worker"])
def test_a_rollout_takes_none_away_before_another_is_there(name: str) -> None:
    spec = PODS[name]["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    delay = int(one("ConfigMap", "otp-settings")["data"]["OTP_SHUTDOWN_DELAY_SECONDS"])
    assert delay >= 5
    assert pod_of(PODS[name])["terminationGracePeriodSeconds"] >= delay + DRAIN_SECONDS + 10


def test_the_schema_is_tried_again_in_an_outage_and_not_with_wrong_settings() -> None:
    job = PODS["otp-init-db"]
    assert container(job)["command"] == ["otp", "init-db"]
    assert pod_of(job)["restartPolicy"] == "Never"
    assert job["spec"]["backoffLimit"] >= 10
    (rule,) = job["spec"]["podFailurePolicy"]["rules"]
    assert rule["action"] == "FailJob"
    assert rule["onExitCodes"] == {
        "containerName": container(job)["name"],
        "operator": "In",
        "values": [2],
    }


def test_every_selector_finds_what_it_is_for() -> None:
    for name in ("otp-server", "otp-worker"):
        assert picked(PODS[name]["spec"]["selector"]["matchLabels"]) == {name}
        budget = one("PodDisruptionBudget", name)["spec"]
        assert picked(budget["selector"]["matchLabels"]) == {name}
        for spread in pod_of(PODS[name])["topologySpreadConstraints"]:
            assert picked(spread["labelSelector"]["matchLabels"]) == {name}
    assert picked(one("Service", "otp")["spec"]["selector"]) == {"otp-server"}
    target = one("HorizontalPodAutoscaler", "otp-server")["spec"]["scaleTargetRef"]
    assert one(target["kind"], target["name"])
    assert "replicas" not in PODS["otp-server"]["spec"]


def test_every_port_has_its_name_on_the_other_side() -> None:
    (port,) = container(PODS["otp-server"])["ports"]
    (of_worker,) = container(PODS["otp-worker"])["ports"]
    assert (of_worker["name"], str(of_worker["containerPort"])) == (
        "metrics",
        container(PODS["otp-worker"])["command"][-1],
    )
    (of_service,) = one("Service", "otp")["spec"]["ports"]
    assert of_service["targetPort"] == port["name"]
    backends = list(found_in(one("Ingress", "otp"), "backend"))
    assert backends
    for backend in backends:
        assert backend["service"] == {"name": "otp", "port": {"name": of_service["name"]}}


def test_metrics_and_debug_pages_have_no_way_in() -> None:
    paths = set(found_in(one("Ingress", "otp"), "path"))
    codes = {"/send-otp", "/resend-otp", "/verify-otp", "/messages"}
    assert codes | {"/webhooks", "/hooks", "/twilio"} <= paths
    assert not [path for path in paths if "/metrics".startswith(path) or "/debug".startswith(path)]


def test_only_servers_are_called_from_two_places_and_a_worker_by_who_watches() -> None:
    everything, servers = one("NetworkPolicy", "otp")["spec"], one("NetworkPolicy", "otp-server")
    assert picked(everything["podSelector"]["matchLabels"]) == PODS.keys()
    assert everything["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in everything
    assert picked(servers["spec"]["podSelector"]["matchLabels"]) == {"otp-server"}
    (rule,) = servers["spec"]["ingress"]
    assert len(rule["from"]) == 2
    assert rule["ports"] == [{"protocol": "TCP", "port": "http"}]
    workers = one("NetworkPolicy", "otp-worker")["spec"]
    assert picked(workers["podSelector"]["matchLabels"]) == {"otp-worker"}
    assert workers["ingress"] == [
        {"from": [rule["from"][1]], "ports": [{"protocol": "TCP", "port": "metrics"}]}
    ]
    out = sorted({port for rule in everything["egress"] for port in found_in(rule, "port")})
    assert out == [53, 443, 5432]


def test_the_worker_reaches_receivers_of_events_in_the_cluster_and_nobody_else_does() -> None:
    policy = one("NetworkPolicy", "otp-events")["spec"]
    assert picked(policy["podSelector"]["matchLabels"]) == {"otp-worker"}
    assert policy["policyTypes"] == ["Egress"]
    (rule,) = policy["egress"]
    (receiver,) = rule["to"]
    assert receiver.keys() == {"namespaceSelector", "podSelector"}


def test_names_are_asked_of_the_clusters_dns_and_of_a_nodes_own() -> None:
    """A cache that runs on each node is on its host's network, where no selector finds it."""
    asked = [
        rule["to"]
        for rule in one("NetworkPolicy", "otp")["spec"]["egress"]
        if set(found_in(rule, "port")) == {53}
    ]
    (places,) = asked
    assert {"matchLabels": {"k8s-app": "kube-dns"}} in [each.get("podSelector") for each in places]
    assert {"cidr": "169.254.20.10/32"} in [each.get("ipBlock") for each in places]


def test_the_most_replicas_have_room_in_a_postgres_of_100_connections() -> None:
    """With one more in a rollout, and three that Postgres keeps for its owner."""
    most = one("HorizontalPodAutoscaler", "otp-server")["spec"]["maxReplicas"]
    threads = int(variables(GUPSHUP)["WAITRESS_THREADS"].default)
    assert (most + 1) * (threads + 2) + 2 * 3 <= 100 - 3


def test_the_first_apply_is_of_the_settings_and_the_job() -> None:
    """As docs/deploying.md has it: by label, before the servers of the release."""
    first = [
        (each["kind"], each["metadata"]["name"])
        for each in OBJECTS
        if each["metadata"]["labels"].get("app.kubernetes.io/component") in ("settings", "init-db")
    ]
    assert sorted(first) == [
        ("ConfigMap", "otp-settings"),
        ("Job", "otp-init-db"),
        ("Namespace", "otp"),
        ("Secret", "otp-secrets"),
    ]


def test_the_pod_monitor_is_of_servers_and_workers_and_named_as_the_alerts_want_it() -> None:
    (monitor,) = build(KUBERNETES / "components" / "pod-monitor")
    assert {"otp-server", "otp-worker"} <= picked(monitor["spec"]["selector"]["matchLabels"])
    endpoint, of_worker = monitor["spec"]["podMetricsEndpoints"]
    assert of_worker == endpoint | {"port": "metrics"}
    assert endpoint["port"] == container(PODS["otp-server"])["ports"][0]["name"]
    assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": "otp"}]

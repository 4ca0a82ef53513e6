"""The manifests are what their schemas allow, and mean what the member means."""

import re
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from revops_mesh import member
from revops_mesh.runtime.settings import Settings
from tests.deploy.building import DEPLOY, ROOT, Resource, built, family, judged, of
from tests.runtime.calling import secret

OVERLAYS = ("base", "overlays/istio", "overlays/linkerd")
GIVEN = {"REVOPS_DATABASE_URL": "postgresql://revops@db/revops", "REVOPS_PAGE_TOKEN_SECRETS": secret()}
"""What the mounted secrets hold."""

every = pytest.mark.parametrize("overlay", OVERLAYS)
each_family = pytest.mark.parametrize(
    ("overlay", "whose"),
    [*((overlay, "kubernetes") for overlay in OVERLAYS), ("overlays/istio", "istio"), ("overlays/linkerd", "linkerd")],
)


def kinds(overlay: str) -> list[str]:
    return [each["kind"] for each in built(overlay)]


@each_family
def test_every_resource_is_what_its_schema_allows(overlay: str, whose: str) -> None:
    resources = [each for each in built(overlay) if family(each) == whose]
    assert resources
    for resource in resources:
        judged(resource)


@each_family
def test_a_misspelt_field_is_noticed_in_every_kind(overlay: str, whose: str) -> None:
    for resource in (each for each in built(overlay) if family(each) == whose):
        wrong = {**resource, "spec": {**resource["spec"], "misspelt": 1}} if "spec" in resource else {**resource, "misspelt": 1}
        with pytest.raises((jsonschema.ValidationError, kubernetes_validate.ValidationError)):
            judged(wrong)


@every
def test_everything_is_in_the_namespace_and_nothing_is_missing(overlay: str) -> None:
    assert {"Deployment", "Service", "Job", "ServiceAccount", "PodDisruptionBudget", "HorizontalPodAutoscaler"} <= set(
        kinds(overlay)
    )
    assert {"NetworkPolicy", "ConfigMap"} <= set(kinds(overlay))
    assert "Secret" not in kinds(overlay), "no secret is committed"
    for resource in built(overlay):
        assert resource["metadata"].get("namespace", "revops") == "revops", resource["metadata"]


def settings_of(resources: tuple[Resource, ...]) -> dict[str, str]:
    """What a pod of the member finds in its environment."""
    (settings,), (deployment,) = of(resources, "ConfigMap"), of(resources, "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"configMapRef": {"name": settings["metadata"]["name"]}}]
    return {**settings["data"], **{each["name"]: each["value"] for each in container["env"]}}


@every
def test_the_settings_are_ones_that_a_member_starts_with(overlay: str) -> None:
    environ = settings_of(built(overlay))
    files = {name for name in environ if name.endswith("_FILE")}
    assert {name.removesuffix("_FILE") for name in files} == set(GIVEN)
    settings = Settings.read({**{name: text for name, text in environ.items() if name not in files}, **GIVEN})
    unknown = {name for name in environ if name.removeprefix("REVOPS_").removesuffix("_FILE").lower() not in vars(settings)}
    assert not unknown
    (deployment,) = of(built(overlay), "Deployment")
    needed = settings.drain_seconds + settings.grace_seconds + 5
    assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= needed
    probe = deployment["spec"]["template"]["spec"]["containers"][0]["livenessProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] > settings.drain_seconds + settings.grace_seconds


@every
def test_probes_ask_for_health_that_there_is(overlay: str) -> None:
    (deployment,) = of(built(overlay), "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    asked = {container[probe]["grpc"].get("service", "") for probe in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert asked <= {"", *(module.service for module in member.MODULES)}
    assert {container[probe]["grpc"]["port"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")} == {ports["grpc"]}
    assert f":{ports['grpc']}" in (DEPLOY / "Containerfile").read_text()
    for service in of(built(overlay), "Service"):
        assert [(each["targetPort"], each["port"]) for each in service["spec"]["ports"]] == [("grpc", ports["grpc"])]


@every
def test_pods_are_nobody_and_write_nothing(overlay: str) -> None:
    for workload in (*of(built(overlay), "Deployment"), *of(built(overlay), "Job")):
        pod = workload["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert f"USER {pod['securityContext']['runAsUser']}:" in (DEPLOY / "Containerfile").read_text()
        assert not [volume for volume in pod["volumes"] if "secret" not in volume]


@every
def test_whatever_is_selected_exists(overlay: str) -> None:
    resources = built(overlay)
    pods = [each["spec"]["template"]["metadata"]["labels"] for kind in ("Deployment", "Job") for each in of(resources, kind)]
    selectors = [each["spec"]["selector"] for each in of(resources, "Service")]
    selectors += [each["spec"]["selector"]["matchLabels"] for each in of(resources, "PodDisruptionBudget")]
    selectors += [
        each["spec"]["podSelector"]["matchLabels"] for kind in ("NetworkPolicy", "Server") for each in of(resources, kind)
    ]
    selectors += [
        each["spec"]["selector"]["matchLabels"] for each in of(resources, "AuthorizationPolicy") if each["spec"].get("selector")
    ]
    assert len(selectors) >= 4
    for selector in selectors:
        assert any(selector.items() <= labels.items() for labels in pods), selector
    (scaler,), (deployment,) = of(resources, "HorizontalPodAutoscaler"), of(resources, "Deployment")
    assert scaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert "replicas" not in deployment["spec"], "the autoscaler would fight for it"


def test_istio_repeats_only_what_reached_no_member_and_asks_everybody_for_a_certificate() -> None:
    resources = built("overlays/istio")
    (peers,) = of(resources, "PeerAuthentication")
    assert peers["spec"] == {"mtls": {"mode": "STRICT"}}
    (route,) = of(resources, "VirtualService")
    for each in route["spec"]["http"]:
        assert set(each["retries"]["retryOn"].split(",")) <= {"connect-failure", "refused-stream"}
    (rule,) = of(resources, "DestinationRule")
    outliers = rule["spec"]["trafficPolicy"]["outlierDetection"]
    assert outliers["consecutive5xxErrors"] == outliers["consecutiveGatewayErrors"] == 0
    hosts = {route["spec"]["hosts"][0], rule["spec"]["host"]}
    assert hosts <= {f"{each['metadata']['name']}.revops.svc.cluster.local" for each in of(resources, "Service")}
    (everybody,) = of(resources, "AuthorizationPolicy", "nobody")
    assert everybody["spec"] == {}
    (callers,) = of(resources, "AuthorizationPolicy", "callers")
    paths = callers["spec"]["rules"][0]["to"][0]["operation"]["paths"]
    assert all(any(f"/{each.service}/".startswith(path.removesuffix("*")) for path in paths) for each in member.MODULES)


def test_linkerd_repeats_nothing_and_lets_only_probes_in_without_a_certificate() -> None:
    resources = built("overlays/linkerd")
    for each in (*of(resources, "Service"), *of(resources, "HTTPRoute")):
        annotations = each["metadata"].get("annotations", {})
        assert {"retry.linkerd.io/grpc", "retry.linkerd.io/http"} & annotations.keys() == set()
    (server,) = of(resources, "Server")
    assert server["spec"]["accessPolicy"] == "deny"
    named = {(each["kind"], each["metadata"]["name"]) for each in resources}
    for policy in of(resources, "AuthorizationPolicy"):
        references: list[dict[str, Any]] = [policy["spec"]["targetRef"], *policy["spec"]["requiredAuthenticationRefs"]]
        assert all((each["kind"], each["name"]) in named for each in references)
    (probes,) = of(resources, "HTTPRoute", "probes")
    assert [match["path"] for rule in probes["spec"]["rules"] for match in rule["matches"]] == [
        {"type": "Exact", "value": "/grpc.health.v1.Health/Check"}
    ]
    (namespace,) = of(resources, "Namespace")
    assert namespace["metadata"]["annotations"]["config.linkerd.io/default-inbound-policy"] == "deny"


def test_the_image_has_wheels_only_and_a_user_without_a_name() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    *_, last = re.split(r"^FROM ", text, flags=re.MULTILINE)
    assert "--no-index" in last
    assert re.search(r"^USER \d+:\d+$", last, re.MULTILINE)
    assert "COPY" not in last, "nothing comes in but what is installed"
    assert "--only-binary=:all:" in text
    assert re.search(r'^ENTRYPOINT \["revops"\]$', last, re.MULTILINE)
    pinned = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert all(":" in image and "latest" not in image for image in pinned)
    project = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    (images,) = yaml.safe_load((DEPLOY / "base/kustomization.yaml").read_text())["images"]
    assert project is not None
    assert images["newTag"] == project[1]

"""Builds the manifests as an operator would, and judges each resource by the schema of its kind.

Kubernetes' own schemas come with a package; those of Istio are read from the Go module that publishes them; those of Linkerd are
in no registry, so a file beside this one has what is used of them.
"""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = "1.37"
ISTIO = "istio.io/api@v1.31.4"
KUSTOMIZE = "sigs.k8s.io/kustomize/kustomize/v5@v5.7.1"
ISTIO_GROUPS = ("security.istio.io", "networking.istio.io")

Resource = dict[str, Any]


@cache
def built(overlay: str) -> tuple[Resource, ...]:
    """The resources of a kustomization under deploy/; skips where there is no kustomize and none can be had."""
    ran = subprocess.run([*_kustomize(), str(DEPLOY / overlay)], capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr
    return tuple(yaml.safe_load_all(ran.stdout))


@cache
def _kustomize() -> tuple[str, ...]:
    if shutil.which("kustomize"):
        return ("kustomize", "build")
    if shutil.which("kubectl"):
        return ("kubectl", "kustomize")
    if shutil.which("go"):
        ran = subprocess.run(["go", "run", KUSTOMIZE, "version"], capture_output=True, text=True, timeout=600, check=False)
        if ran.returncode == 0:
            return ("go", "run", KUSTOMIZE, "build")
    return pytest.skip("neither kustomize nor kubectl is here, and go cannot fetch it")


def family(resource: Resource) -> str:
    """Whose resource it is."""
    group = resource["apiVersion"].rpartition("/")[0]
    return {**dict.fromkeys(ISTIO_GROUPS, "istio"), "policy.linkerd.io": "linkerd"}.get(group, "kubernetes")


def judged(resource: Resource) -> None:
    """Raises for a resource that its schema does not allow; skips where the schema cannot be had."""
    whose = family(resource)
    if whose == "istio":
        _istio()[f"{resource['apiVersion']}/{resource['kind']}"](resource["spec"])
    elif whose == "linkerd":
        _linkerd(resource)
    else:
        kubernetes_validate.validate(resource, KUBERNETES, strict=True)


@cache
def _istio() -> dict[str, Callable[[Any], None]]:
    """The checks of specifications by group, version and kind; unknown fields are refused, as the API server warns of them."""
    if not shutil.which("go"):
        pytest.skip("go is not here to fetch Istio's definitions")
    ran = subprocess.run(
        ["go", "mod", "download", "-json", ISTIO], capture_output=True, text=True, timeout=300, check=False, cwd="/"
    )
    if ran.returncode != 0:
        pytest.skip(f"Istio's definitions cannot be fetched: {ran.stdout[-300:]} {ran.stderr[-300:]}")
    text = (Path(json.loads(ran.stdout)["Dir"]) / "kubernetes" / "customresourcedefinitions.gen.yaml").read_text()
    found: dict[str, Callable[[Any], None]] = {}
    for definition in filter(None, yaml.safe_load_all(text)):
        spec = definition["spec"]
        for version in spec["versions"]:
            schema = _closed(version["schema"]["openAPIV3Schema"]["properties"]["spec"])
            found[f"{spec['group']}/{version['name']}/{spec['names']['kind']}"] = Draft202012Validator(schema).validate
    return found


def _closed(schema: Any) -> Any:
    """A structural schema in which an object has no fields but those that are named, as Kubernetes prunes them."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items() if key not in ("description", "example", "format")}
    open_ended = {"additionalProperties", "x-kubernetes-preserve-unknown-fields"} & schema.keys()
    if schema.get("type") == "object" and "properties" in schema and not open_ended:
        closed["additionalProperties"] = False
    if schema.get("x-kubernetes-int-or-string"):
        closed.pop("type", None)
    return closed


def _linkerd(resource: Resource) -> None:
    schemas = yaml.safe_load(Path(__file__).with_name("linkerd.schema.yaml").read_text())
    known, kind = schemas["$defs"], f"{resource['apiVersion']}/{resource['kind']}"
    assert kind in schemas, f"{kind} is unknown"
    parts = {"apiVersion": {}, "kind": {}, "metadata": {"$ref": "#/$defs/named"}, "spec": schemas[kind]}
    schema = {"$defs": known, "type": "object", "required": list(parts), "properties": parts, "additionalProperties": False}
    Draft202012Validator(schema).validate(resource)


def of(resources: tuple[Resource, ...], kind: str, name: str = "") -> Iterator[Resource]:
    """Those of a kind, or the one of a name."""
    return (each for each in resources if each["kind"] == kind and name in ("", each["metadata"]["name"]))

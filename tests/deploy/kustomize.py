"""deploy/kubernetes as Kustomize puts it together, without Kustomize: as much as is used there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

KUBERNETES = Path(__file__).parents[2] / "deploy" / "kubernetes"
EXAMPLE = KUBERNETES / "overlays" / "example"
Object = dict[str, Any]
_KNOWN = {"apiVersion", "kind", "namespace", "resources", "images", "components"}
_KNOWN |= {"configMapGenerator", "secretGenerator"}


def build(folder: Path) -> list[Object]:
    """Every object; what is generated has its name without a hash."""
    given = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert given.keys() <= _KNOWN, given.keys() - _KNOWN
    found: list[Object] = []
    for name in [*given.get("resources", ()), *given.get("components", ())]:
        path = (folder / name).resolve()
        found += build(path) if path.is_dir() else _documents(path)
    _generate(found, "ConfigMap", given.get("configMapGenerator", ()), folder)
    _generate(found, "Secret", given.get("secretGenerator", ()), folder)
    _rename(found, {image["name"]: image for image in given.get("images", ())})
    for each in found if "namespace" in given else ():
        if each["kind"] != "Namespace":
            each["metadata"]["namespace"] = given["namespace"]
    return found


def _documents(path: Path) -> list[Object]:
    return [each for each in yaml.safe_load_all(path.read_text()) if each]


def _generate(found: list[Object], kind: str, generators: Any, folder: Path) -> None:
    """A ``behavior: merge`` adds to what another one made; a secret's lines are the example's."""
    for given in generators:
        lines = list(given.get("literals", ()))
        for name in given.get("envs", ()):
            lines += (folder / f"{name}.example").read_text().splitlines()
        data = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        if given.get("behavior") == "merge":
            (made,) = (each for each in found if each["metadata"]["name"] == given["name"])
            made["stringData" if kind == "Secret" else "data"] |= data
            continue
        labels = given.get("options", {}).get("labels", {})
        metadata = {"name": given["name"], "labels": labels}
        field = "stringData" if kind == "Secret" else "data"
        found.append({"apiVersion": "v1", "kind": kind, "metadata": metadata, field: data})


def _rename(found: list[Object], images: dict[str, Any]) -> None:
    for each in found:
        for container in pod_of(each).get("containers", ()):
            if new := images.get(container["image"]):
                container["image"] = f"{new['newName']}:{new['newTag']}"


def pod_of(each: Object) -> Any:
    """Its template's, or nothing."""
    template = each.get("spec", {}).get("template", {})
    return template.get("spec", {}) if isinstance(template, dict) else {}

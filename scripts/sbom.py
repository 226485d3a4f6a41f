"""`make sbom`: writes `sbom.cdx.json`, what is in a release (CycloneDX 1.6, ecma-424).

Made in an environment of its own from requirements.txt, since only what is installed tells its
licence and what it needs in turn. Added are the pages of others that lie in `static/vendor`. The
same requirements give the same file, but for what a platform adds to them.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "sbom.cdx.json"
VENDORED = ROOT / "otp_service" / "static" / "vendor" / "README.md"
Json = dict[str, Any]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        document = of_environment(_installed(Path(folder)))
    add_vendored(document, VENDORED.read_text())
    name_what_we_ask_for(document, (ROOT / "requirements.in").read_text())
    FILE.write_text(text(document))
    print(f"{FILE.name}: {len(document['components'])} components")


def _installed(folder: Path) -> Path:
    """The interpreter of a new environment that holds the requirements, and no pip."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    own = ["--disable-pip-version-check", "--require-hashes", "-r", str(ROOT / "requirements.txt")]
    subprocess.run([*pip, *own], check=True)
    return python


def of_environment(python: Path) -> Json:
    """What is installed for this interpreter, as cyclonedx-py tells it."""
    tool = Path(sys.executable).with_name("cyclonedx-py")
    options = ["--output-reproducible", "--short-PURLs", "--sv", "1.6"]
    told = subprocess.run(
        [tool, "environment", python, "--pyproject", ROOT / "pyproject.toml", *options],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a warning that the root has no dependencies: see below
    )
    document: Json = json.loads(told.stdout)
    return document


def add_vendored(document: Json, table: str) -> None:
    """The npm packages of the table in `static/vendor/README.md`."""
    for name, version, licence in re.findall(r"^\| `.*?` \| (\S+) (\S+) \| (\S+) \|", table, re.M):
        purl = f"pkg:npm/{name}@{version}"
        licences = [{"license": {"id": licence, "acknowledgement": "declared"}}]
        document["components"].append(
            {"type": "library", "bom-ref": purl, "name": name, "version": version}
            | {"purl": purl, "licenses": licences}
        )
        document["dependencies"].append({"ref": purl})


def name_what_we_ask_for(document: Json, requirements: str) -> None:
    """The service depends on what requirements.in lists, and on the vendored packages."""
    asked = {_normal(name) for name in re.findall(r"^[A-Za-z][\w-]*", requirements, re.M)}
    ours = [
        each["bom-ref"]
        for each in document["components"]
        if _normal(each["name"]) in asked or each["purl"].startswith("pkg:npm/")
    ]
    root = document["metadata"]["component"]["bom-ref"]
    others = [each for each in document["dependencies"] if each["ref"] != root]
    document["dependencies"] = [*others, {"ref": root, "dependsOn": sorted(ours)}]


def text(document: Json) -> str:
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def _normal(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()

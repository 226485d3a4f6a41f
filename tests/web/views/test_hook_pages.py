"""Each page's way to try a hook works word by word, and the phone of the sandbox shows the code."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import requests
from flask import Flask

from otp_service.web.dependencies import dependencies_of
from tests.conftest import MakeApp, Serve
from tests.faults.waiting import until
from tests.system import need_program

PAGES = Path(__file__).parents[3] / "docs" / "integrations"
PAGE_OF = {
    "supabase-auth": "HOOK_SUPABASE_SECRET",
    "logto": "HOOK_LOGTO_TOKEN",
    "authgear": "HOOK_AUTHGEAR_SECRET",
    "zitadel": "HOOK_ZITADEL_SECRET",
}


def blocks(page: str) -> list[str]:
    """What the page has one type into a shell."""
    text = (PAGES / f"{page}.md").read_text()
    found = re.findall(r"^( *)```bash\n(.*?)^ *```", text, re.M | re.S)
    return [re.sub(f"^{indent}", "", block, flags=re.M) for indent, block in found]


def shell(text: str, folder: Path) -> str:
    command = [need_program("bash", package="bash"), "-euo", "pipefail", "-c", text]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout


def with_its_secret(make_app: MakeApp, name: str, env_file: Path) -> Flask:
    (line,) = env_file.read_text().splitlines()
    found, _, secret = line.partition("=")
    assert found == name
    return make_app(**{name: secret})


@pytest.mark.parametrize(("page", "name"), PAGE_OF.items())
def test_who_follows_the_page_sees_the_code_on_the_phone(
    make_app: MakeApp, serve: Serve, tmp_path: Path, page: str, name: str
) -> None:
    for program in ("curl", "openssl"):
        need_program(program, package=program)
    first, second, *_ = blocks(page)
    shell(first.replace("make run\n", ""), tmp_path)
    app = with_its_secret(make_app, name, tmp_path / ".env")
    url, worker = serve(app).url, dependencies_of(app).worker
    dependencies_of(app).start()
    try:
        told = [shell(second.replace("http://localhost:8000", url), tmp_path) for _ in range(2)]
        assert [each.splitlines()[0] for each in told] == ["HTTP/1.1 200 OK"] * 2
        (code,) = set(re.findall(r"\b561166(?:43)?\b", second))

        def shown() -> list[str]:
            messages = requests.get(f"{url}/sandbox/messages", timeout=10).json()["data"]
            return [message["code"] for message in messages["messages"]]

        until(lambda: shown() == [code])
    finally:
        dependencies_of(app).stop()
        worker.join()
        dependencies_of(app).telling.join()

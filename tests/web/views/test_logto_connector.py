"""Logto's own connector, as npm has it, calls us on a real socket."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.conftest import MakeApp, Serve
from tests.system import need_tool, node
from tests.web.hooks.callers import TOKENS
from tests.web.views.hook_apps import Hooked

# It answers with the status, or throws what Logto makes its error of.
SCRIPT = """
const [connector, endpoint, calls] = process.argv.slice(1);
const { default: create } = await import(connector);
const told = [];
for (const { authorization, data } of JSON.parse(calls)) {
  const { sendMessage } = await create({ getConfig: async () => ({ endpoint, authorization }) });
  try {
    told.push({ status: (await sendMessage(data)).statusCode });
  } catch ({ code, data }) {
    told.push({ code, data });
  }
}
console.log(JSON.stringify(told));
"""


def told(endpoint: str, *calls: dict[str, Any]) -> list[dict[str, Any]]:
    """What became of each call."""
    connector = need_tool("@logto/connector-http-sms/lib/index.js").as_uri()
    command = [node(), "--input-type=module", "-e", SCRIPT, connector, endpoint, json.dumps(calls)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("authorization", [f"Bearer {TOKENS[0]}", TOKENS[1]])
def test_its_messages_are_taken_once_and_its_errors_are_sentences(
    make_app: MakeApp, serve: Serve, authorization: str
) -> None:
    hooked = Hooked(make_app(HOOK_LOGTO_TOKEN="|".join(TOKENS), OTP_SEND_LIMITS="2/10m"))
    phone = hooked.phone()

    def call(code: str, secret: str = authorization, **payload: str) -> dict[str, Any]:
        payload = payload or {"code": code, "locale": "en"}
        data = {"to": phone[1:], "type": "SignIn", "payload": payload, "ip": "8.8.8.8"}
        return {"authorization": secret, "data": data}

    first, again, second, third, stranger, link = told(
        f"{serve(hooked.app).url}/hooks/logto",
        call("561166"),
        call("561166"),
        call("0042"),
        call("77777"),
        call("561166", "Bearer another-token"),
        call("", link="https://example.com/invitation"),
    )
    assert first == again == second == {"status": 200}
    too_many = "Too many codes were asked for. Try again in 10 minutes."
    assert third == {"code": "general", "data": {"message": too_many}}
    assert "HOOK_LOGTO_TOKEN" in stranger["data"]["message"]
    assert link["data"]["message"].startswith("payload.code: Missing.")
    assert len(hooked.stored(phone)) == 2

"""The tour through a client that openapi-python-client made from the document, as it stands."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from otp_service import create_app
from otp_service.web.openapi import document_of
from tests.conftest import SECRET, LiveServer, MakeApp, Serve, new_key
from tests.storage.helpers import wrong

PHONE = "+919876543210"


class Generated:
    """The client that was made, as a package of this name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.models = importlib.import_module(f"{name}.models")

    def part(self, name: str) -> Any:
        return importlib.import_module(f"{self.name}.{name}")

    def call(self, operation: str, server: LiveServer, key: str = "", **arguments: Any) -> Any:
        """What an operation, such as ``codes.send_otp``, is answered: one of the models."""
        clients = self.part("client")
        made = clients.AuthenticatedClient if key else clients.Client
        client = made(server.url, **({"token": key} if key else {}))
        return self.part(f"api.{operation}").sync(client=client, **arguments)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generated]:
    """Made from the sandbox's document; what the generator warns of is a failure."""
    folder = tmp_path_factory.mktemp("generated")
    environ = {"DATABASE_URL": f"sqlite:///{folder / 'otp.db'}", "OTP_SECRET": SECRET}
    document = document_of(create_app(environ, instance=folder)).make()
    (folder / "openapi.json").write_text(json.dumps(document))
    (folder / "options.json").write_text('{"post_hooks": []}')  # which would only shape the code
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning"]
    command += ["--meta=none", "--path=openapi.json", "--config=options.json"]
    command += ["--output-path=generated_client"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield Generated("generated_client")


def test_send_resend_and_verify(generated: Generated, live_server: LiveServer) -> None:
    models = generated.models
    first = generated.call("codes.send_otp", live_server, body=models.Send(phone_number=PHONE))
    assert isinstance(first, models.SentAnswer)
    again = generated.call("codes.send_otp", live_server, body=models.Send(phone_number=PHONE))
    assert isinstance(again, models.OtpAlreadySent)
    sent = generated.call("codes.resend_otp", live_server, body=models.Send(phone_number=PHONE))
    assert sent.data.verification_id == first.data.verification_id

    guess = models.Verify(phone_number=PHONE, otp=wrong(sent.data.otp))
    refused = generated.call("codes.verify_otp", live_server, body=guess)
    assert isinstance(refused, models.InvalidOtp)
    assert refused.error.attempts_remaining == 4
    right = models.Verify(phone_number=PHONE, otp=sent.data.otp)
    verified = generated.call("codes.verify_otp", live_server, body=right)
    assert isinstance(verified, models.VerifiedAnswer)
    assert verified.data.phone_number == PHONE
    used = generated.call("codes.verify_otp", live_server, body=right)
    assert isinstance(used, models.OtpNotFound)

    found = generated.call(
        "verifications.get_verification",
        live_server,
        verification_id=verified.data.verification_id,
    )
    assert found.data.status is models.Status.VERIFIED
    assert [message.channel for message in found.data.deliveries] == [models.Channel.WHATSAPP] * 2


def test_each_error_is_one_class_and_tells_what_it_knows(
    generated: Generated, live_server: LiveServer
) -> None:
    models = generated.models
    no_phone = generated.call("codes.send_otp", live_server, body=models.Send(phone_number="hello"))
    assert isinstance(no_phone, models.InvalidPhoneNumber)
    short = models.Verify(phone_number=PHONE, otp="12")
    no_code = generated.call("codes.verify_otp", live_server, body=short)
    assert isinstance(no_code, models.InvalidRequest)
    assert list(no_code.error.fields.additional_properties) == ["otp"]
    unknown = "p0123456789abcdef"
    for operation in ("get_verification", "cancel_verification"):
        missing = generated.call(f"verifications.{operation}", live_server, verification_id=unknown)
        assert isinstance(missing, models.NotFound)
    assert [name for name in dir(models) if "Response4" in name or "Response5" in name] == []


def test_a_key_is_taken_as_the_client_sends_it(
    generated: Generated, make_app: MakeApp, serve: Serve
) -> None:
    app = make_app(API_KEYS="required")
    key = new_key(app, "shop", "otp")
    server, models = serve(app), generated.models
    body = models.Send(phone_number=PHONE)
    assert isinstance(generated.call("codes.send_otp", server, body=body), models.Unauthorized)
    sent = generated.call("codes.send_otp", server, key, body=body)
    assert isinstance(sent, models.SentAnswer)

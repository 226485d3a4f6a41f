"""Hooks: a code of another system's is stored for the worker, and each is answered in its way."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from otp_service import create_app
from otp_service.storage.models.base import engines_of
from tests import databases
from tests.conftest import SECRET, MakeApp
from tests.web.hooks.callers import ALL, SETTINGS, SUPABASE, Caller, with_value
from tests.web.views.hook_apps import Hooked

every_system = pytest.mark.parametrize("caller", ALL, ids=lambda caller: caller.name)


@pytest.fixture(scope="module")
def hooked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hooked]:
    folder = tmp_path_factory.mktemp("hooks")
    environ = {"DATABASE_URL": f"sqlite:///{folder / 'app.db'}", "OTP_SECRET": SECRET}
    app = create_app(environ | SETTINGS | {"API_KEYS": "required"}, instance=folder / "instance")
    (engine,) = engines_of(app)
    databases.upgrade(engine)
    yield Hooked(app)
    engine.dispose()


@every_system
def test_a_code_is_stored_for_the_worker_and_nobody_waits_for_it(
    hooked: Hooked, caller: Caller
) -> None:
    phone = hooked.phone()
    answer = hooked.post(caller, caller.message(phone, "561166"))
    done = {"code": "ok"} if caller.name == "authgear" else {}
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.get_json() == done
    (row,) = hooked.stored(phone)
    assert (row.client, row.purpose) == (f"hook:{caller.name}", caller.purpose)
    assert (row.status, row.channel) == ("queued", "whatsapp")
    assert hooked.code(row) == "561166"


@every_system
def test_a_repeat_is_answered_as_the_first_was_and_sends_nothing(
    hooked: Hooked, caller: Caller
) -> None:
    """Each try is signed anew, as they do it."""
    body = caller.message(phone := hooked.phone(), "561166")
    first, second = hooked.post(caller, body, age=5), hooked.post(caller, body)
    assert (first.status_code, first.data) == (second.status_code, second.data)
    assert len(hooked.stored(phone)) == 1


@every_system
def test_another_code_for_the_same_phone_is_another_message(hooked: Hooked, caller: Caller) -> None:
    phone = hooked.phone()
    for code in ("561166", "0042"):
        assert hooked.post(caller, caller.message(phone, code)).status_code == 200
    assert [hooked.code(row) for row in hooked.stored(phone) if row.sealed][-1] == "0042"
    assert len(hooked.stored(phone)) == 2


@every_system
@pytest.mark.parametrize("which", [slice(0, 1), slice(1, 2), slice(0, 2)])
def test_two_secrets_hold_at_once(hooked: Hooked, caller: Caller, which: slice) -> None:
    body = caller.message(phone := hooked.phone(), "561166")
    assert hooked.post(caller, body, which=which).status_code == 200
    assert len(hooked.stored(phone)) == 1


@pytest.mark.statement(16)
@every_system
def test_another_body_than_the_signed_one_is_401_and_names_what_is_wrong(
    hooked: Hooked, caller: Caller
) -> None:
    asked = caller.request(caller.message(phone := hooked.phone(), "561166"))
    if "Authorization" in asked["headers"]:  # it signs nothing
        asked["headers"]["Authorization"] += "x"
    asked["data"] += b" "
    answer = hooked.app.test_client().post(caller.path, **asked)
    assert answer.status_code == 401
    assert f"{caller.name.upper()}_" in answer.get_data(as_text=True)
    assert answer.headers["WWW-Authenticate"].endswith('realm="hook"')
    assert hooked.stored(phone) == []


@pytest.mark.statement(16)
@every_system
def test_without_any_signature_it_is_401(hooked: Hooked, caller: Caller) -> None:
    before = len(hooked.stored())
    unsigned = caller.message("+919876543210", "561166")
    answer = hooked.app.test_client().post(caller.path, json=unsigned)
    assert (answer.status_code, len(hooked.stored())) == (401, before)


@pytest.mark.parametrize("caller", [each for each in ALL if each.is_timed], ids=lambda c: c.name)
@pytest.mark.parametrize(("age", "status"), [(310, 401), (-310, 401), (290, 200), (-290, 200)])
def test_a_signature_holds_for_five_minutes(
    hooked: Hooked, caller: Caller, age: int, status: int
) -> None:
    body = caller.message(phone := hooked.phone(), "561166")
    assert hooked.post(caller, body, age=age).status_code == status
    assert len(hooked.stored(phone)) == (status == 200)


@every_system
def test_up_to_256_kib_is_taken_and_more_is_413_in_its_format(
    hooked: Hooked, caller: Caller
) -> None:
    large = caller.message(phone := hooked.phone(), "561166") | {"more": "x" * 261_000}
    assert hooked.post(caller, large).status_code == 200
    assert len(hooked.stored(phone)) == 1
    huge = caller.message(phone := hooked.phone(), "561166") | {"more": "x" * 262_144}
    answer = hooked.post(caller, huge)
    assert answer.status_code == 413
    assert answer.mimetype == ("text/plain" if caller.name == "logto" else "application/json")
    assert "262144" in answer.get_data(as_text=True)
    assert hooked.stored(phone) == []


@every_system
@pytest.mark.parametrize(
    "raw",
    [
        b"", b"nonsense", b"[1]", b'"text"', b"null", b'{"a": NaN}', b"\xff\xfe", b'{"a": 1',
        b"[" * 100_000, b'{"a":' * 30 + b"1" + b"}" * 30, b"{}",
    ],
)  # fmt: skip
def test_what_is_no_such_message_is_400_in_its_format(
    hooked: Hooked, caller: Caller, raw: bytes
) -> None:
    before = len(hooked.stored())
    answer = hooked.post(caller, raw)
    assert answer.status_code == 400
    assert answer.mimetype == ("text/plain" if caller.name == "logto" else "application/json")
    assert len(hooked.stored()) == before


@every_system
@pytest.mark.parametrize("which", ["code", "phone"])
@pytest.mark.parametrize(
    "value", [..., None, "", 561166, ["561166"], {"a": 1}, True, "5611\x0066", "\ud800", "5" * 5000]
)
def test_a_field_that_is_no_text_is_400_and_nothing_is_stored(
    hooked: Hooked, caller: Caller, which: str, value: object
) -> None:
    before, path = len(hooked.stored()), str(getattr(caller, which))
    body = with_value(caller.message(hooked.phone(), "561166"), path, value)
    for text in ("body", "templateData"):  # where else a code may be
        body.pop(text, None)
    answer = hooked.post(caller, body)
    assert answer.status_code == 400
    assert path in answer.get_data(as_text=True) or value in (..., None, "")
    assert len(hooked.stored()) == before


@every_system
@pytest.mark.parametrize("code", ["123", "12345678901", "AB12CD", "12 34 56", "+1234", "٥٦١١٦٦"])
def test_a_code_that_is_not_4_to_10_digits_is_400(
    hooked: Hooked, caller: Caller, code: str
) -> None:
    answer = hooked.post(caller, caller.message(phone := hooked.phone(), code))
    assert answer.status_code == 400
    assert code not in answer.get_data(as_text=True)
    assert hooked.stored(phone) == []


@every_system
@pytest.mark.parametrize("content_type", ["text/plain", "application/json; charset=latin-1", ""])
def test_what_does_not_say_that_it_is_json_is_415(
    hooked: Hooked, caller: Caller, content_type: str
) -> None:
    asked = caller.request(caller.message(phone := hooked.phone(), "561166"))
    asked["headers"]["Content-Type"] = content_type
    assert hooked.app.test_client().post(caller.path, **asked).status_code == 415
    assert hooked.stored(phone) == []


@every_system
def test_fields_that_nobody_knows_are_passed_over(hooked: Hooked, caller: Caller) -> None:
    body = caller.message(phone := hooked.phone(), "561166") | {"new": [None, {"a": "\ud800"}]}
    assert hooked.post(caller, body).status_code == 200
    assert len(hooked.stored(phone)) == 1


@every_system
def test_without_its_secret_there_is_no_such_path(make_app: MakeApp, caller: Caller) -> None:
    client = make_app().test_client()
    answer = client.post(caller.path, **caller.request(caller.message("+919876543210", "561166")))
    assert answer.status_code == 404
    assert not any(
        path.startswith("/hooks") for path in client.get("/openapi.json").get_json()["paths"]
    )


@pytest.mark.statement(13)
@every_system
def test_no_line_of_the_log_has_a_code_a_phone_or_a_secret(
    hooked: Hooked, caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    phone = hooked.phone()
    hooked.post(caller, caller.message(phone, "9036147"))
    hooked.post(caller, caller.message(phone, "90361x7"))
    hooked.post(caller, caller.message(phone, "9036147"), age=400)
    told = str([vars(record) for record in caplog.records])
    secrets = [part for value in SETTINGS.values() for part in value.split("|")]
    for hidden in ("9036147", "90361x7", phone, phone[1:], *secrets):
        assert hidden not in told
    assert f"hook:{caller.name}" in told


def test_the_same_id_with_another_message_is_refused(hooked: Hooked) -> None:
    body = SUPABASE.message(phone := hooked.phone(), "561166")
    assert hooked.post(SUPABASE, body).status_code == 200
    assert hooked.post(SUPABASE, with_value(body, "sms.otp", "0042")).status_code == 422
    assert len(hooked.stored(phone)) == 1


def test_each_is_documented_with_what_it_answers(hooked: Hooked) -> None:
    document = hooked.app.test_client().get("/openapi.json").get_json()
    for caller in ALL:
        operation = document["paths"][caller.path]["post"]
        assert {"200", "400", "401", "413", "415", "503"} <= set(operation["responses"])
        (scheme,) = operation["security"][0]
        assert scheme in document["components"]["securitySchemes"]
        assert json.dumps(operation["requestBody"]).count("561166") >= 1

"""Settings: all problems at once, no secret told, unsafe starts refused."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from otp_service.environment import SettingsError
from otp_service.settings import Settings
from otp_service.settings.env_file import process_environment

GUPSHUP = {
    "GUPSHUP_API_KEY": "sk_canary_key_1234",
    "GUPSHUP_SOURCE": "917834811114",
    "GUPSHUP_TEMPLATE_ID": "11111111-2222-3333-4444-555555555555",
    "GUPSHUP_SRC_NAME": "DemoApp",
}
META = {
    "META_ACCESS_TOKEN": "EAAcanary0123456789",
    "META_PHONE_NUMBER_ID": "158072934066266",
    "META_TEMPLATE": "verification_code",
}
SMS = {"GUPSHUP_SMS_USERID": "2000012345", "GUPSHUP_SMS_PASSWORD": "canary-password"}
SECRET = "ca" + bytes(range(31)).hex()
WEBHOOK_SECRET = "canary-webhook-secret"


def load(tmp_path: Path, **environ: str) -> Settings:
    return Settings.from_env(environ, tmp_path / "instance")


def problems(tmp_path: Path, **environ: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, **environ)
    return caught.value.problems


def test_with_nothing_set_it_is_a_sandbox_with_the_documented_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.sandbox
    assert settings.database_url == f"sqlite:///{tmp_path / 'instance' / 'otp.db'}"
    assert (settings.expiry, settings.code_length, settings.max_attempts) == (180, 6, 5)
    assert (settings.grace_codes, settings.expose_code) == (0, True)
    assert settings.test_numbers == {"+1234567890": "123456"}
    assert not settings.api_keys_required
    assert (settings.port, settings.processes) == (8000, 1)


def test_with_a_gupshup_key_every_default_turns_strict(tmp_path: Path) -> None:
    settings = load(tmp_path, **GUPSHUP, OTP_SECRET=SECRET)
    assert not settings.sandbox
    assert not settings.expose_code
    assert settings.api_keys_required
    assert settings.test_numbers == {}
    assert settings.gupshup.api_url == "https://api.gupshup.io/wa/api/v1/template/msg"


@pytest.mark.statement(21)
def test_all_problems_are_reported_together_each_naming_its_variable(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        DATABASE_URL="mysql://root:hunter2@db/otp",
        GUPSHUP_API_KEY="sk_canary_key_1234",
        OTP_EXPIRY_MINUTES="11",
        OTP_LENGTH="3",
        OTP_MAX_ATTEMPTS="many",
        OTP_SECRET="too short canary",
        OTP_TEST_NUMBERS="12345",
        API_KEYS="perhaps",
        PORT="99999",
    )
    named = (
        "DATABASE_URL GUPSHUP_SOURCE GUPSHUP_TEMPLATE_ID GUPSHUP_SRC_NAME OTP_EXPIRY_MINUTES "
        "OTP_LENGTH OTP_MAX_ATTEMPTS OTP_SECRET OTP_TEST_NUMBERS API_KEYS PORT"
    )
    for name in named.split():
        assert sum(problem.startswith(name) for problem in found) == 1, name
    for secret in ("canary", "hunter2", "perhaps", "12345"):
        assert secret not in " ".join(found)


@pytest.mark.statement(21)
@pytest.mark.parametrize("left_out", sorted(GUPSHUP))
def test_half_a_gupshup_configuration_does_not_start(tmp_path: Path, left_out: str) -> None:
    half = {name: value for name, value in GUPSHUP.items() if name != left_out}
    (problem,) = problems(tmp_path, **half, OTP_SECRET=SECRET)
    assert problem.startswith(f"{left_out} is missing")


@pytest.mark.statement(21)
def test_the_examples_placeholders_do_not_start(tmp_path: Path) -> None:
    filled = dict.fromkeys(GUPSHUP, "your_api_key_here")
    assert len(problems(tmp_path, **filled, OTP_SECRET=SECRET)) == 4


@pytest.mark.statement(21)
@pytest.mark.parametrize(
    "half",
    [
        {"GUPSHUP_API_KEY": "k"},
        {"GUPSHUP_TEMPLATE_ID": "t", "GUPSHUP_SRC_NAME": "n"},
        {"META_TEMPLATE": "t"},
        {"GUPSHUP_SMS_PASSWORD": "p"},
        {"OTP_WHATSAPP_SENDERS": "meta"},
        {"OTP_WHATSAPP_SENDERS": "canary, meta"},
    ],
)
def test_half_an_account_hides_nothing_else_that_a_sender_needs(
    tmp_path: Path, half: dict[str, str]
) -> None:
    found = problems(tmp_path, **half, OTP_EXPOSE_CODE="on", OTP_LENGTH="3")
    named = {problem.split()[0] for problem in found}
    assert {"OTP_SECRET", "OTP_EXPOSE_CODE", "OTP_LENGTH"} < named
    assert any("META_ACCESS_TOKEN" in problem or "GUPSHUP_" in problem for problem in found)
    assert not (tmp_path / "instance").exists()  # and no sandbox's secret is made


@pytest.mark.statement(21)
@pytest.mark.parametrize(
    "secret",
    [
        "0" * 64,
        "ca" * 32,
        "cafe" * 40,
        f"{'01020304050607' * 5}",
        f"{SECRET},{'0' * 64}",
        f"{'0' * 64},{SECRET}",
    ],
)
def test_a_secret_of_few_different_bytes_starts_in_the_sandbox_only(
    tmp_path: Path, secret: str
) -> None:
    (problem,) = problems(tmp_path, **GUPSHUP, OTP_SECRET=secret)
    assert problem.startswith("OTP_SECRET has fewer than 8 different bytes")
    assert "secrets.token_hex(32)" in problem
    assert load(tmp_path, OTP_SECRET=secret).warnings == (problem,)
    assert secret not in problem


def test_eight_different_bytes_are_enough_and_a_weak_secret_hides_no_short_one(
    tmp_path: Path,
) -> None:
    assert load(tmp_path, **GUPSHUP, OTP_SECRET="0102030405060708" * 4).secrets
    found = problems(tmp_path, **GUPSHUP, OTP_SECRET=f"{'0' * 64},cafe")
    assert [problem.split(" ", 2)[:2] for problem in found] == [
        ["OTP_SECRET", "must"],
        ["OTP_SECRET", "has"],
    ]


@pytest.mark.statement(21)
def test_a_missing_secret_says_how_to_make_one(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, **GUPSHUP)
    assert problem.startswith("OTP_SECRET is required")
    assert "secrets.token_hex(32)" in problem


@pytest.mark.statement(21)
def test_exposed_codes_with_a_real_sender_do_not_start(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, **GUPSHUP, OTP_SECRET=SECRET, OTP_EXPOSE_CODE="on")
    assert problem.startswith("OTP_EXPOSE_CODE is on with a real sender")


@pytest.mark.statement(2, 21)
@pytest.mark.parametrize("minutes", ["10.5", "11", "0", "-3", "nan", "inf", "three"])
def test_a_lifetime_over_ten_minutes_or_none_does_not_start(tmp_path: Path, minutes: str) -> None:
    (problem,) = problems(tmp_path, OTP_EXPIRY_MINUTES=minutes)
    assert problem.startswith("OTP_EXPIRY_MINUTES must be a number from")


def test_short_codes_open_doors_and_clear_text_are_warned_of(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        **GUPSHUP,
        OTP_SECRET=SECRET,
        OTP_LENGTH="4",
        API_KEYS="off",
        GUPSHUP_API_URL="http://simulator:9000/msg",
        OTP_TEST_NUMBERS="+1234567890",
        SUPABASE_URL="https://project.supabase.co",
    )
    names = ("OTP_LENGTH", "API_KEYS", "GUPSHUP_API_URL", "OTP_TEST_NUMBERS", "SUPABASE_URL")
    for name in names:
        assert any(warning.startswith(name) for warning in settings.warnings), name


@pytest.mark.statement(21)
@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "otp.db", "http://db"])
def test_a_database_that_forgets_or_is_none_does_not_start(tmp_path: Path, url: str) -> None:
    (problem,) = problems(tmp_path, DATABASE_URL=url)
    assert problem.startswith("DATABASE_URL must")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_both_spellings_of_a_postgres_url_mean_psycopg2(tmp_path: Path, scheme: str) -> None:
    url = load(tmp_path, DATABASE_URL=f"{scheme}://otp:s3cret@db:5432/otp").database_url
    assert url == "postgresql+psycopg2://otp:s3cret@db:5432/otp"


def test_several_secrets_are_kept_newest_first(tmp_path: Path) -> None:
    settings = load(tmp_path, OTP_SECRET=f"{'ab' * 32}, {'cd' * 40}")
    assert [secret.key for secret in settings.secrets] == [b"\xab" * 32, b"\xcd" * 40]


def test_the_sandbox_makes_its_secret_once_and_keeps_it_private(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: load(tmp_path).secrets, range(8)))
    assert len(set(found)) == 1
    kept = list((tmp_path / "instance").iterdir())
    assert [path.name for path in kept] == ["otp_secret"]
    assert kept[0].stat().st_mode & 0o777 == 0o600


def test_test_numbers_may_have_fixed_codes(tmp_path: Path) -> None:
    settings = load(tmp_path, OTP_TEST_NUMBERS="+1234567890=424242, +15550001111")
    assert settings.test_numbers == {"+1234567890": "424242", "+15550001111": ""}
    assert settings.fixed_codes == {"+1234567890": "424242"}


@pytest.mark.parametrize(("length", "code"), [("4", "1234"), ("6", "123456"), ("10", "1234567890")])
def test_the_sandboxs_own_has_a_code_of_the_configured_length(
    tmp_path: Path, length: str, code: str
) -> None:
    assert load(tmp_path, OTP_LENGTH=length).test_numbers == {"+1234567890": code}
    named = load(tmp_path, OTP_LENGTH=length, OTP_TEST_NUMBERS="+1234567890")
    assert named.fixed_codes == {}


def test_a_fixed_code_must_have_the_configured_length(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, OTP_TEST_NUMBERS="+1234567890=4242")
    assert problem == "OTP_TEST_NUMBERS: each code must have 6 digits"


def test_no_settings_repr_tells_a_secret(tmp_path: Path) -> None:
    shown = repr(
        load(
            tmp_path,
            **GUPSHUP,
            OTP_SECRET=SECRET,
            DATABASE_URL="postgresql://otp:hunter2@db/otp",
            OTP_TEST_NUMBERS="+1234567890=424242",
        )
    )
    for secret in ("canary", "hunter2", "424242", SECRET):
        assert secret not in shown


# --- senders ---


@pytest.mark.statement(21)
def test_with_metas_account_every_default_turns_strict_too(tmp_path: Path) -> None:
    settings = load(tmp_path, **META, OTP_SECRET=SECRET)
    assert not settings.sandbox
    assert not settings.expose_code
    assert settings.api_keys_required
    assert settings.senders == ("meta",)
    assert settings.meta.languages == ("en_US",)
    assert settings.meta.api_url == "https://graph.facebook.com/v23.0"
    (problem,) = problems(tmp_path, **META)
    assert problem.startswith("OTP_SECRET is required")


def test_with_nothing_set_there_are_no_senders_and_sms_is_off(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.senders == ()
    assert settings.sms.missing
    assert (settings.sms_after, settings.worker) == (30, True)
    assert (settings.gupshup_webhook_secret, settings.gupshup_webhook_networks) == ("", ())
    assert settings.gupshup_app_id == ""
    assert settings.warnings == ()


@pytest.mark.parametrize(
    ("named", "senders"),
    [
        ("", ("gupshup", "meta")),
        ("meta, Gupshup", ("meta", "gupshup")),
        ("meta", ("meta",)),
    ],
)
def test_the_senders_have_an_order(tmp_path: Path, named: str, senders: tuple[str, ...]) -> None:
    both = {**GUPSHUP, **META, "OTP_SECRET": SECRET}
    assert load(tmp_path, **both, OTP_WHATSAPP_SENDERS=named).senders == senders


@pytest.mark.parametrize("named", ["canary", "gupshup,", "gupshup,gupshup", "meta,sms"])
def test_senders_that_do_not_exist_do_not_start(tmp_path: Path, named: str) -> None:
    both = {**GUPSHUP, **META, "OTP_SECRET": SECRET}
    (problem,) = problems(tmp_path, **both, OTP_WHATSAPP_SENDERS=named)
    assert problem.startswith("OTP_WHATSAPP_SENDERS must be one or more of gupshup, meta")


def test_a_sender_that_is_not_configured_does_not_start(tmp_path: Path) -> None:
    (problem,) = problems(
        tmp_path, **GUPSHUP, OTP_SECRET=SECRET, OTP_WHATSAPP_SENDERS="gupshup,meta"
    )
    assert problem.startswith("OTP_WHATSAPP_SENDERS names meta, which lacks META_ACCESS_TOKEN, ")
    (problem,) = problems(tmp_path, OTP_WHATSAPP_SENDERS="gupshup", OTP_SECRET=SECRET)
    assert "GUPSHUP_API_KEY" in problem


@pytest.mark.statement(21)
@pytest.mark.parametrize("left_out", sorted(META | SMS))
def test_half_an_account_does_not_start(tmp_path: Path, left_out: str) -> None:
    half = {name: value for name, value in (META | SMS).items() if name != left_out}
    (problem,) = problems(tmp_path, **GUPSHUP, **half, OTP_SECRET=SECRET)
    assert problem.startswith(f"{left_out} is missing: set it, or unset ")
    account = META if left_out in META else SMS
    assert all(name in problem for name in account if name != left_out)


@pytest.mark.parametrize(
    ("alone", "missing"),
    [
        ({"GUPSHUP_TEMPLATES": "en=tpl"}, 4),
        ({"GUPSHUP_API_URL": "https://simulator"}, 4),
        ({"META_APP_SECRET": "canary"}, 3),
        ({"META_TEMPLATE_LANGUAGES": "en"}, 3),
        ({"META_API_URL": "https://simulator"}, 3),
        ({"GUPSHUP_SMS_MASK": "CANARY"}, 2),
        ({"GUPSHUP_SMS_DLT_TEMPLATE_ID": "1107"}, 2),
        ({"GUPSHUP_SMS_TEXT": "{code}"}, 2),
    ],
)
def test_what_is_of_use_to_an_account_only_does_not_start_without_it(
    tmp_path: Path, alone: dict[str, str], missing: int
) -> None:
    assert len(problems(tmp_path, **alone, OTP_SECRET=SECRET)) == missing


@pytest.mark.parametrize(
    "text",
    ["your-template-id", "YOUR_API_KEY", "<api key>", "Your app name", "change-me", "CHANGEME"],
)
def test_a_placeholder_is_known_however_it_is_written(tmp_path: Path, text: str) -> None:
    (problem,) = problems(tmp_path, **GUPSHUP | {"GUPSHUP_SRC_NAME": text}, OTP_SECRET=SECRET)
    assert problem == "GUPSHUP_SRC_NAME still holds the example's placeholder"


def test_of_a_placeholder_no_more_is_told_than_that_it_is_one(tmp_path: Path) -> None:
    filled = {"GUPSHUP_SOURCE": "<number>", "META_PHONE_NUMBER_ID": "YOUR_ID"}
    found = problems(tmp_path, **META | GUPSHUP | filled, OTP_SECRET=SECRET)
    assert found == [f"{name} still holds the example's placeholder" for name in filled]


def test_a_name_that_begins_like_a_placeholder_is_none(tmp_path: Path) -> None:
    for name in ("YourApp", "Your-Brand", "yours"):
        load(tmp_path, **GUPSHUP | {"GUPSHUP_SRC_NAME": name}, OTP_SECRET=SECRET)


@pytest.mark.statement(21)
def test_placeholders_of_the_other_accounts_do_not_start(tmp_path: Path) -> None:
    filled = dict.fromkeys(META | SMS, "your_value_here")
    found = problems(tmp_path, **GUPSHUP, **filled, OTP_SECRET=SECRET)
    assert len(found) == 5
    assert all("placeholder" in problem for problem in found)


@pytest.mark.statement(21)
def test_sms_without_whatsapp_does_not_start(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, **SMS, OTP_SECRET=SECRET)
    assert problem.startswith("GUPSHUP_SMS_USERID is set, but no WhatsApp sender is")


@pytest.mark.parametrize(
    "text",
    ["en=tpl-1, pt-BR = tpl-2,", "en:tpl-1,pt-BR:tpl-2", '{"en": "tpl-1", "pt-BR": "tpl-2"}'],
)
def test_each_language_may_have_a_template(tmp_path: Path, text: str) -> None:
    settings = load(tmp_path, **GUPSHUP, OTP_SECRET=SECRET, GUPSHUP_TEMPLATES=text)
    assert settings.gupshup.templates == {"en": "tpl-1", "pt-BR": "tpl-2"}
    assert settings.gupshup.template_for("pt") == "tpl-2"


@pytest.mark.parametrize(
    "text", ["en", "en=", "=id", "e=id", "en=a b", "en us=id", "{", '{"en": 1 }x', "{}x"]
)
def test_templates_that_name_no_language_do_not_start(tmp_path: Path, text: str) -> None:
    (problem,) = problems(tmp_path, **GUPSHUP, OTP_SECRET=SECRET, GUPSHUP_TEMPLATES=text)
    assert problem == "GUPSHUP_TEMPLATES must be LANGUAGE=TEMPLATE_ID, with commas"


def test_languages_are_read_whichever_way_they_are_written(tmp_path: Path) -> None:
    named = "en-us, pt_BR,pt-pt,PRS_AF,prs_AF,iw-IL,fil"
    settings = load(tmp_path, **META, OTP_SECRET=SECRET, META_TEMPLATE_LANGUAGES=named)
    metas = ("en_US", "pt_BR", "pt_PT", "fa_AF", "prs_AF", "he_IL", "fil")  # Meta knows prs_AF
    assert settings.meta.languages == metas
    templates = "en_US.UTF-8=t-en,zh-Hant-HK=t-zh,iw=t-he"
    gupshup = load(tmp_path, **GUPSHUP, OTP_SECRET=SECRET, GUPSHUP_TEMPLATES=templates).gupshup
    assert [gupshup.template_for(each) for each in ("en", "zh_TW", "he-IL", None)] == [
        "t-en",
        "t-zh",
        "t-he",
        GUPSHUP["GUPSHUP_TEMPLATE_ID"],
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("META_PHONE_NUMBER_ID", "+1 canary"),
        ("META_TEMPLATE_LANGUAGES", "en,,pt"),
        ("META_API_URL", "graph.facebook.com"),
        ("GUPSHUP_SMS_API_URL", "canary"),
        ("GUPSHUP_SMS_TEXT", "Your code is canary"),
        ("GUPSHUP_SMS_TEXT", "{code} {canary}"),
        ("GUPSHUP_SMS_TEXT", "{code} {"),
    ],
)
def test_each_problem_names_its_variable_and_no_value(
    tmp_path: Path, name: str, value: str
) -> None:
    every = {**GUPSHUP, **META, **SMS, "OTP_SECRET": SECRET}
    (problem,) = problems(tmp_path, **(every | {name: value}))
    assert problem.startswith(name)
    assert "canary" not in problem


def test_the_text_may_have_minutes_and_the_code_twice(tmp_path: Path) -> None:
    text = "{code} ends in {minutes} minutes. @example.com #{code}"
    settings = load(tmp_path, **GUPSHUP, **SMS, OTP_SECRET=SECRET, GUPSHUP_SMS_TEXT=text)
    assert settings.sms.text == text


# --- when an SMS follows ---


@pytest.mark.parametrize(
    ("minutes", "told", "seconds"),
    [
        ("3", "", 30),
        ("3", "45", 45),
        ("3", "179", 179),
        ("0.5", "", 15),  # the default would be too late
        ("0.01", "", 1),
    ],
)
def test_an_sms_follows_while_the_code_lives(
    tmp_path: Path, minutes: str, told: str, seconds: int
) -> None:
    real = {**GUPSHUP, **SMS, "OTP_SECRET": SECRET}
    settings = load(tmp_path, **real, OTP_EXPIRY_MINUTES=minutes, OTP_SMS_AFTER_SECONDS=told)
    assert settings.sms_after == seconds


def test_an_sms_that_would_come_too_late_does_not_start(tmp_path: Path) -> None:
    late = {**GUPSHUP, "OTP_SECRET": SECRET, "OTP_SMS_AFTER_SECONDS": "180"}
    (problem,) = problems(tmp_path, **late, **SMS)
    assert problem.startswith("OTP_SMS_AFTER_SECONDS must be less than OTP_EXPIRY_MINUTES")
    assert load(tmp_path, **late).sms_after == 90  # without SMS it does not matter


@pytest.mark.parametrize("seconds", ["0", "601", "soon"])
def test_the_wait_for_an_sms_has_bounds(tmp_path: Path, seconds: str) -> None:
    (problem,) = problems(tmp_path, OTP_SMS_AFTER_SECONDS=seconds)
    assert problem == "OTP_SMS_AFTER_SECONDS must be a whole number from 1 to 600"


# --- receipts ---


def test_lost_receipts_are_warned_of(tmp_path: Path) -> None:
    def warned(**environ: str) -> list[str]:
        settings = load(tmp_path, **environ, OTP_SECRET=SECRET)
        return [warning.split()[0] for warning in settings.warnings]

    assert warned(**GUPSHUP) == ["GUPSHUP_WEBHOOK_SECRET"]
    assert warned(**GUPSHUP, GUPSHUP_WEBHOOK_SECRET=WEBHOOK_SECRET) == []
    assert warned(**META) == ["META_APP_SECRET", "META_VERIFY_TOKEN"]
    assert warned(**META, META_APP_SECRET="a", META_VERIFY_TOKEN="b") == []
    unused = {**GUPSHUP, **META, "META_APP_SECRET": "a", "META_VERIFY_TOKEN": "b"}
    assert warned(**unused, OTP_WHATSAPP_SENDERS="meta") == []
    assert warned(**unused, **SMS, OTP_WHATSAPP_SENDERS="meta") == ["GUPSHUP_WEBHOOK_SECRET"]


def test_a_webhook_secret_that_can_be_guessed_is_warned_of(tmp_path: Path) -> None:
    secret = "short-canary-15"
    (warning,) = load(tmp_path, GUPSHUP_WEBHOOK_SECRET=secret).warnings
    assert warning.startswith("GUPSHUP_WEBHOOK_SECRET is short")
    assert secret not in warning


@pytest.mark.statement(21)
def test_the_examples_placeholder_is_no_secret(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, GUPSHUP_WEBHOOK_SECRET="your_webhook_secret_here")
    assert problem.startswith("GUPSHUP_WEBHOOK_SECRET still holds")


def test_who_may_send_receipts_is_a_list_of_networks(tmp_path: Path) -> None:
    told = "192.0.2.7, 198.51.100.9/24,2001:db8::/32,"
    networks = load(tmp_path, GUPSHUP_WEBHOOK_IPS=told).gupshup_webhook_networks
    assert [str(network) for network in networks] == [
        "192.0.2.7/32",
        "198.51.100.0/24",
        "2001:db8::/32",
    ]
    (problem,) = problems(tmp_path, GUPSHUP_WEBHOOK_IPS="192.0.2.7, canary")
    assert problem.startswith("GUPSHUP_WEBHOOK_IPS must be addresses or networks")
    assert "canary" not in problem


def test_the_worker_and_the_app_s_id(tmp_path: Path) -> None:
    settings = load(tmp_path, OTP_WORKER="off", GUPSHUP_APP_ID="82ed52f4")
    assert (settings.worker, settings.gupshup_app_id) == (False, "82ed52f4")
    (problem,) = problems(tmp_path, OTP_WORKER="perhaps")
    assert problem == "OTP_WORKER must be on or off"


def test_no_settings_repr_tells_a_provider_s_secret(tmp_path: Path) -> None:
    more = {"META_APP_SECRET": "canary-app", "META_VERIFY_TOKEN": "canary-verify"}
    every = {**GUPSHUP, **META, **SMS, **more, "OTP_SECRET": SECRET}
    shown = repr(load(tmp_path, **every, GUPSHUP_WEBHOOK_SECRET=WEBHOOK_SECRET))
    assert "canary" not in shown


# --- what was meant otherwise ---


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("OTP_LENGHT", "OTP_LENGTH"),
        ("OTP_EXPIRY", "OTP_EXPIRY_MINUTES"),
        ("otp_length", "OTP_LENGTH"),
        ("export OTP_LENGTH", "OTP_LENGTH"),
        ("OTP_DATABASE_URL", "DATABASE_URL"),
        ("OTP_PORT", "PORT"),
        ("GUPSHUP_APIKEY", "GUPSHUP_API_KEY"),
        ("META_ACCES_TOKEN", "META_ACCESS_TOKEN"),
        ("META_PHONE_ID", "META_PHONE_NUMBER_ID"),
        ("HOOK_AND_LINE", ""),
        ("EVENTS_QQQQQQ", ""),
    ],
)
def test_a_setting_that_is_not_known_is_warned_of_with_the_nearest(
    tmp_path: Path, name: str, nearest: str
) -> None:
    environ = {name: "canary", "UNRELATED": "canary", "PATH": "/canary"}
    (warning,) = Settings.from_env(environ, tmp_path).warnings
    assert warning.startswith(f"{name} is not a setting and does nothing: ")
    expected = f"did you mean {nearest}?" if nearest else "env.example has those that there are"
    assert warning.endswith(expected)
    assert "canary" not in warning


def test_a_name_that_is_spelt_wrong_is_told_beside_the_problem_that_it_makes(
    tmp_path: Path,
) -> None:
    account = {"GUPSHUP_APIKEY" if n == "GUPSHUP_API_KEY" else n: v for n, v in GUPSHUP.items()}
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, **account, OTP_SECRET=SECRET, GUPSHUP_WEBHOOK_SECRET=WEBHOOK_SECRET)
    told = caught.value.format_message()
    assert told.startswith("the configuration has 1 problem:\n  - GUPSHUP_API_KEY is missing")
    assert "\nand 1 warning:\n  - GUPSHUP_APIKEY is not a setting" in told
    assert "canary" not in told


def test_every_setting_of_the_example_is_known(tmp_path: Path) -> None:
    example = (Path(__file__).parents[2] / "env.example").read_text()
    names = re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", example, flags=re.MULTILINE)
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, **dict.fromkeys(names, "?"))
    assert "OTP_LENGTH must be" in caught.value.format_message()
    assert "is not a setting" not in caught.value.format_message()


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ('"{code} it is"', "still has quotes around it"),
        ("'{code} it is'", "still has quotes around it"),
        ("{code}\\nis it", "has \\n in it as two characters"),
        ("{code} it is # as registered", "has a # after a blank"),
        ("{code} it is #as registered", "has a # after a blank"),
        ("{code} of ${SHOP}", "has ${…} in it"),
    ],
)
def test_what_only_dotenv_would_take_out_of_a_line_is_warned_of(
    tmp_path: Path, value: str, what: str
) -> None:
    quiet = {**GUPSHUP, **SMS, "OTP_SECRET": SECRET, "GUPSHUP_WEBHOOK_SECRET": WEBHOOK_SECRET}
    text = {"GUPSHUP_SMS_TEXT": value}
    account = {**quiet, **text} if "$" not in value else {**quiet, "GUPSHUP_SMS_PASSWORD": value}
    (warning,) = load(tmp_path, **account).warnings
    assert warning.split(" ", 1)[1].startswith(what)
    assert warning.startswith("GUPSHUP_SMS_")
    assert "it is" not in warning


@pytest.mark.parametrize(
    "text",
    [
        "{code} it is. @example.com #{code}",
        "{code}: it's yours",
        'say "{code}"',
        "{code}#",
        "a new\nline and {code}",
    ],
)
def test_what_both_readers_leave_is_not(tmp_path: Path, text: str) -> None:
    quiet = {**GUPSHUP, **SMS, "OTP_SECRET": SECRET, "GUPSHUP_WEBHOOK_SECRET": WEBHOOK_SECRET}
    assert load(tmp_path, **quiet, GUPSHUP_SMS_TEXT=text).warnings == ()


def test_a_number_with_a_comment_is_a_problem_that_says_where_it_comes_from(
    tmp_path: Path,
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, OTP_LENGTH="6 # digits")
    assert "OTP_LENGTH must be a whole number" in caught.value.format_message()
    assert "OTP_LENGTH has a # after a blank" in caught.value.format_message()


def test_a_value_that_is_no_text_does_not_start(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, OTP_PROOF_ISSUER="caf\udce9")
    assert problem == "OTP_PROOF_ISSUER is not UTF-8"


# --- files ---


def test_an_env_file_in_another_encoding_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"OTP_PROOF_ISSUER=caf\xe9\n")
    with pytest.raises(SettingsError) as caught:
        process_environment(tmp_path)
    assert caught.value.problems == [".env is not UTF-8: save it in that encoding"]


def test_the_environment_overrides_the_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("OTP_LENGTH=7\nOTP_GRACE_CODES=2\n")
    monkeypatch.setenv("OTP_LENGTH", "8")
    environ = process_environment(tmp_path)
    assert (environ["OTP_LENGTH"], environ["OTP_GRACE_CODES"]) == ("8", "2")


def test_the_example_file_is_a_working_sandbox(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "env.example"
    (tmp_path / ".env").write_text(example.read_text())
    values = {k: v for k, v in process_environment(tmp_path).items() if k in example.read_text()}
    assert load(tmp_path, **values).sandbox

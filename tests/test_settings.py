"""Settings: all problems at once, no secret told, unsafe starts refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from otp_service.environ import SettingsError, process_environment
from otp_service.settings import Settings

GUPSHUP = {
    "GUPSHUP_API_KEY": "sk_canary_key_1234",
    "GUPSHUP_SOURCE": "917834811114",
    "GUPSHUP_TEMPLATE_ID": "11111111-2222-3333-4444-555555555555",
    "GUPSHUP_SRC_NAME": "DemoApp",
}
SECRET = "ca" * 32


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
    assert settings.test_numbers == {"+1234567890": ""}
    assert not settings.api_keys_required
    assert (settings.port, settings.processes) == (8000, 1)


def test_with_a_gupshup_key_every_default_turns_strict(tmp_path: Path) -> None:
    settings = load(tmp_path, **GUPSHUP, OTP_SECRET=SECRET)
    assert not settings.sandbox
    assert not settings.expose_code
    assert settings.api_keys_required
    assert settings.test_numbers == {}
    assert settings.gupshup.api_url == "https://api.gupshup.io/wa/api/v1/template/msg"


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


@pytest.mark.parametrize("left_out", sorted(GUPSHUP))
def test_half_a_gupshup_configuration_does_not_start(tmp_path: Path, left_out: str) -> None:
    half = {name: value for name, value in GUPSHUP.items() if name != left_out}
    (problem,) = problems(tmp_path, **half, OTP_SECRET=SECRET)
    assert problem.startswith(f"{left_out} is missing")


def test_the_examples_placeholders_do_not_start(tmp_path: Path) -> None:
    filled = dict.fromkeys(GUPSHUP, "your_api_key_here")
    assert len(problems(tmp_path, **filled, OTP_SECRET=SECRET)) == 4


def test_a_missing_secret_says_how_to_make_one(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, **GUPSHUP)
    assert problem.startswith("OTP_SECRET is required")
    assert "secrets.token_hex(32)" in problem


def test_exposed_codes_with_a_real_sender_do_not_start(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, **GUPSHUP, OTP_SECRET=SECRET, OTP_EXPOSE_CODE="on")
    assert problem.startswith("OTP_EXPOSE_CODE is on with a real sender")


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


def test_the_environment_overrides_the_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("OTP_LENGTH=7\nOTP_GRACE_CODES=2\n")
    monkeypatch.setenv("OTP_LENGTH", "8")
    environ = process_environment(tmp_path)
    assert (environ["OTP_LENGTH"], environ["OTP_GRACE_CODES"]) == ("8", "2")


def test_the_example_file_is_a_working_sandbox(tmp_path: Path) -> None:
    example = Path(__file__).parent.parent / "env.example"
    (tmp_path / ".env").write_text(example.read_text())
    values = {k: v for k, v in process_environment(tmp_path).items() if k in example.read_text()}
    assert load(tmp_path, **values).sandbox

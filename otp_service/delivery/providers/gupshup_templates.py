"""What Gupshup tells of an app's templates (partner-docs.gupshup.io, "Get templates").

Asking sends no message and costs nothing. What the template is made of stands in `containerMeta`,
a JSON text inside of the JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from otp_service.delivery import failure_codes, failure_reasons, http, parsing
from otp_service.delivery.http import DEADLINE
from otp_service.delivery.parsing import as_object, as_objects, json_object, scrub, text, words
from otp_service.delivery.providers.gupshup_settings import GupshupSettings
from otp_service.delivery.refusals import error_of
from otp_service.domain.errors import DeliveryError

SEND_PATH = "/wa/api/v1/template/msg"
_LIFETIME = (  # the first is Gupshup's own, in its documentation of authentication templates
    "messageSendTTLSeconds",
    "messageSendTtlSeconds",
    "message_send_ttl_seconds",
    "messageSendTTL",
)
_FOOTER = ("codeExpirationMinutes", "code_expiration_minutes")


@dataclass(frozen=True)
class Template:
    """What is unknown is empty, or None. ``status`` and ``category`` are in lower case.

    ``takes``: how often it takes the code; ``body_values``: how many values its text has, of
    Meta's. ``lifetime``: seconds in which WhatsApp tries to deliver, -1 for 30 days.
    ``footer_minutes``: what the message says of the code's own.
    """

    id: str
    name: str = ""
    meta_id: str = ""
    status: str = ""
    reason: str = ""
    category: str = ""
    language: str = ""
    quality: str = ""
    takes: int | None = None
    body_values: int | None = None
    lifetime: int | None = None
    footer_minutes: int | None = None


def template(facts: dict[str, object]) -> Template:
    """One element of Gupshup's list."""
    made_of = json_object(words(facts.get("containerMeta")))
    everything = made_of | facts
    return Template(
        id=word(facts.get("id")),
        name=word(facts.get("elementName")),
        meta_id=word(facts.get("externalId")),
        status=word(facts.get("status")).lower(),
        reason=scrub(words(facts.get("reason")) or words(facts.get("rejectedReason"))),
        category=word(facts.get("category")).lower(),
        language=word(facts.get("languageCode")),
        quality=word(facts.get("quality")).lower(),
        takes=1 + any(map(takes_code, as_objects(made_of.get("buttons")))) if made_of else None,
        lifetime=whole_number(everything, _LIFETIME),
        footer_minutes=whole_number(everything, _FOOTER),
    )


class Templates:
    """An app's templates. Its methods answer a `DeliveryError` if they can't tell."""

    def __init__(
        self, settings: GupshupSettings, app_id: str, *, deadline: float = DEADLINE
    ) -> None:
        self._url = f"{base_url(settings.api_url)}/wa/app/{quote(app_id, safe='')}/template"
        self._key, self._deadline = settings.api_key, deadline

    def all(self) -> list[Template] | DeliveryError:
        """All that one answer holds: an app may have more."""
        facts = self._ask(self._url, "templates")
        return facts if isinstance(facts, DeliveryError) else [template(each) for each in facts]

    def one(self, template_id: str) -> Template | DeliveryError:
        facts = self._ask(f"{self._url}/{quote(template_id, safe='')}", "template")
        return facts if isinstance(facts, DeliveryError) else template(facts[0])

    def _ask(self, url: str, name: str) -> list[dict[str, object]] | DeliveryError:
        answer = http.get(url, {"apikey": self._key}, deadline=self._deadline)
        if isinstance(answer, DeliveryError):
            return answer
        facts = json_object(answer.body)
        found = as_objects(facts.get(name)) or list(filter(None, [as_object(facts.get(name))]))
        refused = words(facts.get("status")).lower() in failure_codes.REFUSING
        if (found or facts.get(name) == []) and answer.is_success and not refused:
            return found
        trouble = failure_reasons.of(facts)
        return error_of(answer, trouble, failure_codes.WHATSAPP, self._key, refused=refused)


def base_url(api_url: str) -> str:
    """Where Gupshup's other paths begin, for the URL that messages are posted to."""
    if api_url.endswith(SEND_PATH):  # whatever stands before, such as a proxy's own path
        return api_url.removesuffix(SEND_PATH)
    try:
        parts_ = urlsplit(api_url)
    except ValueError:  # then whoever asks there is told so
        return api_url
    return f"{parts_.scheme}://{parts_.netloc}"


def takes_code(button: dict[str, object]) -> bool:
    """Gupshup shows it as it was asked for (OTP) or as Meta keeps it (a URL with a variable)."""
    kinds = {text(button.get(name)).upper() for name in ("type", "otp_type")}
    return bool(kinds & {"OTP", "COPY_CODE"}) or "{{" in words(button.get("url"))


def word(value: object) -> str:
    """An id or a name: one printable line, digits and all."""
    facts = text(value)
    return facts[: parsing.MAX_ID] if facts.isprintable() else ""


def whole_number(facts: dict[str, object], names: tuple[str, ...]) -> int | None:
    values = (text(facts.get(name)) for name in names)
    found = next(filter(None, values), "")
    return int(found) if found.lstrip("-").isdecimal() and len(found) < 9 else None

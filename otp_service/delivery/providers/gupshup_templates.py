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


def template(told: dict[str, object]) -> Template:
    """One element of Gupshup's list."""
    made_of = json_object(words(told.get("containerMeta")))
    everything = made_of | told
    return Template(
        id=word(told.get("id")),
        name=word(told.get("elementName")),
        meta_id=word(told.get("externalId")),
        status=word(told.get("status")).lower(),
        reason=scrub(words(told.get("reason")) or words(told.get("rejectedReason"))),
        category=word(told.get("category")).lower(),
        language=word(told.get("languageCode")),
        quality=word(told.get("quality")).lower(),
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
        told = self._ask(self._url, "templates")
        return told if isinstance(told, DeliveryError) else [template(each) for each in told]

    def one(self, template_id: str) -> Template | DeliveryError:
        told = self._ask(f"{self._url}/{quote(template_id, safe='')}", "template")
        return told if isinstance(told, DeliveryError) else template(told[0])

    def _ask(self, url: str, name: str) -> list[dict[str, object]] | DeliveryError:
        answer = http.get(url, {"apikey": self._key}, deadline=self._deadline)
        if isinstance(answer, DeliveryError):
            return answer
        told = json_object(answer.body)
        found = as_objects(told.get(name)) or list(filter(None, [as_object(told.get(name))]))
        refused = words(told.get("status")).lower() in failure_codes.REFUSING
        if (found or told.get(name) == []) and answer.is_success and not refused:
            return found
        trouble = failure_reasons.of(told)
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
    told = text(value)
    return told[: parsing.MAX_ID] if told.isprintable() else ""


def whole_number(told: dict[str, object], names: tuple[str, ...]) -> int | None:
    values = (text(told.get(name)) for name in names)
    found = next(filter(None, values), "")
    return int(found) if found.lstrip("-").isdecimal() and len(found) < 9 else None

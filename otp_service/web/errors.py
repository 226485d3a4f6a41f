"""What can go wrong with a request before the domain sees it, and with the service itself."""

from __future__ import annotations

from typing import ClassVar

from otp_service.domain.errors import OtpError


class InvalidJson(OtpError):
    """``details`` tell where: see `web.json_position`."""

    code, message = "invalid_json", "The body must be one JSON object in UTF-8"


class BodyTooLarge(OtpError):
    code, message = "body_too_large", "The body is too large"


class UnsupportedMediaType(OtpError):
    code, message = "unsupported_media_type", "Content-Type must be application/json"


class Unauthorized(OtpError):
    code = "unauthorized"
    message = "A valid API key is required, as Authorization: Bearer KEY or X-API-Key: KEY"
    challenge = 'Bearer realm="otp"'


class _WebhookUnauthorized(Unauthorized):
    """Nobody has a key there: each webhook has a secret of its own, and its own way for it."""

    example: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(rule=f"{self.message}.", example=self.example)


class WrongWebhookSecret(_WebhookUnauthorized):
    message = (
        "The webhook's secret is missing or wrong: it travels as Authorization: Bearer SECRET, or "
        "in the query as token"
    )
    challenge = 'Bearer realm="webhook"'
    example = "Authorization: Bearer SECRET"


class WrongWebhookSignature(_WebhookUnauthorized):
    message = (
        "The webhook's signature is missing or wrong: it travels as X-Hub-Signature-256, and is "
        "made of the body with the app's secret"
    )
    challenge = 'X-Hub-Signature-256 realm="webhook"'
    example = "X-Hub-Signature-256: sha256=HMAC"


class WrongVerifyToken(_WebhookUnauthorized):
    message = (
        "The webhook's verify token, its secret, is missing or wrong: it travels in the query as "
        "hub.verify_token, beside hub.mode=subscribe and hub.challenge"
    )
    challenge = 'hub.verify_token realm="webhook"'
    example = (
        "GET /webhooks/meta?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=TOKEN"
    )


class WrongHookSignature(Unauthorized):
    """``header`` is where the hook's signature or token travels, ``setting`` has its secret."""

    message = "The hook's signature or token is missing, wrong or older than 5 minutes"

    def __init__(self, header: str, setting: str) -> None:
        rule = f"{self.message}: it travels as {header}, and {setting} has its secret here."
        super().__init__(rule=rule, example=f"{header}: …")
        self.challenge = f'{header} realm="hook"'


class Forbidden(OtpError):
    code, message = "forbidden", "This API key does not allow this call"


class WrongWebhookAddress(Forbidden):
    message = "This address may not call the webhook: GUPSHUP_WEBHOOK_IPS does not name it"

    def __init__(self) -> None:
        super().__init__(rule=f"{self.message}.", example="GUPSHUP_WEBHOOK_IPS=192.0.2.0/24")


class NotFound(OtpError):
    code, message = "not_found", "Not found"


class MethodNotAllowed(OtpError):
    code, message = "method_not_allowed", "This path does not allow this method"


class BadRequest(OtpError):
    code, message = "bad_request", "The request could not be understood"


class NotReady(OtpError):
    """``details`` hold the state of each part."""

    code, message = "not_ready", "Not ready"


class Busy(OtpError):
    """Before anything was looked at: others of its kind are arriving."""

    code, message = "busy", "Too many large bodies are arriving at once"


class InternalError(OtpError):
    code, message = "internal_error", "Something went wrong on our side"

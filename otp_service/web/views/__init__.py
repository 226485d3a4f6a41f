"""One blueprint a file: a view translates a request, delegates, and dresses the answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from otp_service.domain.callbacks import Callback, Handshake, Network
from otp_service.domain.verification import Channel
from otp_service.web.blueprint import Blueprint
from otp_service.web.dependencies import Dependencies
from otp_service.web.fields import PHONE
from otp_service.web.hooks.hook import Hook
from otp_service.web.views import (
    debug,
    docs,
    home,
    hooks,
    jwks,
    messages,
    metrics,
    ops,
    otp,
    sandbox,
    twilio,
    verifications,
    webhooks,
)


def blueprints(
    dependencies: Dependencies,
    *,
    code_length: int,
    channels: Sequence[Channel],
    callbacks: Iterable[Callback | Handshake],
    hooks_on: Sequence[Hook],
    proxies: Sequence[Network],
    sandbox_numbers: dict[str, str] | None,
) -> list[Blueprint]:
    """Every view there is. In the sandbox, where messages stay, there are the pages that show them:
    ``sandbox_numbers`` are its test numbers and their codes, None elsewhere.
    """
    service = dependencies.service
    inbox = webhooks.Inbox(dependencies.keep_receipts, dependencies.keep_events, proxies)
    names = [channel.value for channel in channels]
    everywhere = [
        otp.blueprint(service, dependencies.proofs, code_length, names),
        webhooks.blueprint(callbacks, inbox),
        messages.blueprint(dependencies.relaying, names),
        messages.reading_blueprint(dependencies.relaying),
        twilio.blueprint(service, names),
        hooks.blueprint(hooks_on, dependencies.relaying),
        verifications.blueprint(service),
        verifications.cancel_blueprint(service),
        jwks.blueprint(dependencies.proofs),
        ops.blueprint(
            dependencies.store_state,
            dependencies.senders,
            dependencies.worker,
            dependencies.stopping.is_set,
        ),
        debug.blueprint(dependencies.sender_configuration, dependencies.sample_request),
        metrics.blueprint(dependencies.metrics),
        docs.bp,
    ]
    if sandbox_numbers is None:
        return [*everywhere, home.about_blueprint()]
    number, code = next(iter(sandbox_numbers.items()), (PHONE, ""))
    return [*everywhere, home.tour_blueprint(number, code), sandbox.blueprint(service)]

"""Twilio Verify's calls, on verifications like any others.

The service's sid is the purpose. What is refused is told by `web.twilio_errors`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask import Response, g, jsonify, request

from otp_service.domain.errors import CodeIncorrect, VerificationNotFound
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Channel, Person, Status, Verification
from otp_service.web import auth, twilio_answers, twilio_docs
from otp_service.web.blueprint import Blueprint, Tag
from otp_service.web.twilio_calls import asked, named, purpose_of, send_options, started
from otp_service.web.twilio_forms import TwilioCheck, TwilioStart, TwilioUpdate

Body = dict[str, Any]
_SERVICE = "/twilio/v2/Services/<string(maxlength=64):service_sid>"
_ONE = f"{_SERVICE}/Verifications/<string(maxlength=64):sid>"


def blueprint(service: OtpService, channels: Collection[str]) -> Blueprint:
    """With these channels: an SMS is a WhatsApp message where it is none of them."""
    bp = Blueprint("twilio", auth.OTP, Tag.TWILIO)
    bp.key_schemes = twilio_docs.KEY_SCHEMES
    _add_sending(bp, service, has_sms=Channel.SMS.value in channels)
    _add_resource(bp, service)
    _add_checking(bp, service)
    return bp


def _add_sending(bp: Blueprint, service: OtpService, *, has_sms: bool) -> None:
    @bp.post(f"{_SERVICE}/Verifications")
    @bp.takes_form(TwilioStart(), twilio_docs.START)
    @bp.described_by(twilio_docs.start)
    def start_twilio_verification(body: Body, service_sid: str) -> tuple[Response, int]:
        """Send a code, as Twilio Verify does.

        Starts a verification; or sends the next code of the live one, which keeps its sid. The 32
        digits of the service's sid are the purpose: any sid of yours will do.
        """
        person = Person(g.client, body["To"], purpose_of(service_sid))
        begun = started(service, person, send_options(body, has_sms=has_sms))
        return _answer(begun, service_sid), 201


def _add_resource(bp: Blueprint, service: OtpService) -> None:
    @bp.get(_ONE)
    @bp.described_by(twilio_docs.fetch)
    def fetch_twilio_verification(service_sid: str, sid: str) -> Response:
        """Look at a verification, as Twilio Verify does.

        By its sid, or by the phone: then it is the live one, or the newest that has ended.
        """
        return _answer(named(service, purpose_of(service_sid), sid), service_sid)

    @bp.post(_ONE)
    @bp.takes_form(TwilioUpdate(), twilio_docs.UPDATE)
    @bp.described_by(twilio_docs.update)
    def update_twilio_verification(body: Body, service_sid: str, sid: str) -> Response:
        """Cancel a verification, as Twilio Verify does.

        Its code never verifies then. One that had ended otherwise is not found.
        """
        found = named(service, purpose_of(service_sid), sid)
        ended = service.cancel(g.client, found.id)
        if ended.status is not Status.CANCELED:
            raise VerificationNotFound
        return _answer(ended, service_sid)


def _add_checking(bp: Blueprint, service: OtpService) -> None:
    @bp.post(f"{_SERVICE}/VerificationCheck")
    @bp.takes_form(TwilioCheck(), twilio_docs.CHECK, twilio_docs.EITHER)
    @bp.described_by(twilio_docs.check)
    def check_twilio_verification(body: Body, service_sid: str) -> Response:
        """Check a code, as Twilio Verify does.

        A wrong one is 200 with `valid: false`. Name the phone or the verification; or both: then
        nobody else's wrong guesses can lock this person out.
        """
        person, its_id = asked(service, body, purpose_of(service_sid))
        account = _account()
        try:
            found = service.verify(person, body["Code"], its_id)
        except CodeIncorrect as wrong:
            if wrong.verification is None:
                raise
            g.refusal = wrong
            told = twilio_answers.check(wrong.verification, service_sid, account, is_right=False)
        else:
            told = twilio_answers.check(found, service_sid, account, is_right=True)
        return jsonify(told)


def _answer(found: Verification, service_sid: str) -> Response:
    url = f"{request.root_url}twilio/v2/Services/{service_sid}/Verifications"
    return jsonify(twilio_answers.verification(found, service_sid, _account(), url))


def _account() -> str:
    given = request.authorization
    return twilio_answers.account_sid(given.username if given else None, g.client)

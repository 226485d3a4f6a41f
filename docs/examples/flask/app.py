"""A sign-in by phone: one page for the number, one for the code. README.md tells how to run it."""

from __future__ import annotations

import hmac
import math
import os
import secrets
import time

from flask import Flask, abort, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from otp_client import DeliveryUnconfirmed, OtpAlreadySent, OtpClient, OtpClientError, Sent

otp = OtpClient(os.environ.get("OTP_URL", "http://localhost:8000"), os.environ.get("OTP_API_KEY"))
app = Flask(__name__)  # behind a proxy of yours: werkzeug's ProxyFix, for request.remote_addr
app.secret_key = os.environ.get("SECRET_KEY") or secrets.token_hex()  # set it: processes share it
app.config.update(SESSION_COOKIE_SAMESITE="Lax")  # behind TLS, SESSION_COOKIE_SECURE=True too

OUR_FAULT = "Something went wrong on our side. Please try again."
LATER = "We can't send codes at the moment. Please try again"
WORDS = {  # for each error.code; docs/integrating.md says what else to do
    "invalid_otp": "This code is wrong. {tries} left.",
    "no_code": "Please type the code as it is in the message.",
    "otp_not_found": "This code has expired. Ask for a new one.",
    "too_many_attempts": "Too many wrong codes. Please ask for a new one.",
    "phone_locked": "Too many wrong codes for this number. Please try again in {wait}.",
    "invalid_phone_number": "This is not a phone number. Please write it with its country code, "
    "such as +91 98765 43210.",
    "destination_not_allowed": "We can't send codes to this number. Please use another one.",
    "send_limit_exceeded": "We have sent several codes to this number. Please try again in {wait}.",
    "delivery_failed": "We could not reach this number. Is it right? If so, please try later.",
    "delivery_unconfirmed": "The code is on its way. It may take a moment.",
    "not_arrived": "The code may not have arrived. You can ask for a new one.",
    "delivery_unavailable": f"{LATER} in {{wait}}.",
    "rate_limit_exceeded": "Many people are signing in. Please try again in a moment.",
    "idempotency_in_progress": "The code is on its way. It may take a moment.",  # a second click
    "unauthorized": f"{LATER} later.",
    "forbidden": f"{LATER} later.",
}
ALARMING = {"unauthorized", "forbidden", "rate_limit_exceeded"}  # and what has no words


@app.before_request
def from_our_own_forms() -> None:
    """What is posted has what no other site knows."""
    ours, theirs = session.setdefault("csrf", secrets.token_hex()), request.form.get("csrf", "")
    if request.method == "POST" and not hmac.compare_digest(ours.encode(), theirs.encode()):
        abort(400, "This page is too old. Please open it again.")


@app.get("/")
def home() -> str:
    if "phone_number" in session:
        return render_template("signed_in.html", phone_number=session["phone_number"])
    return render_template("phone.html", typed=request.form.get("phone_number", ""))


@app.post("/")
def begin() -> Response:
    return on_its_way(send(request.form.get("phone_number", "")))


@app.get("/code")
def code() -> Response | str:
    return code_page() if "begun" in session else redirect(url_for("home"))


@app.post("/code")
def check() -> Response:
    begun = session.get("begun") or abort(redirect(url_for("home"), 303))
    verified = otp.verify(
        begun["phone_number"],
        request.form.get("otp", ""),
        verification_id=begun["verification_id"],
        idempotency_key=f"check-{begun['once']}",  # a double click is one check
    )
    session.clear()  # where sessions have ids on the server, take a new one here
    session["phone_number"] = verified.phone_number  # E.164, however it was typed
    return redirect(url_for("home"), 303)


@app.post("/resend")
def resend() -> Response:
    begun = session.get("begun") or abort(redirect(url_for("home"), 303))
    return on_its_way(send(begun["phone_number"], again=f"resend-{begun['once']}"))


@app.post("/sign-out")
def sign_out() -> Response:
    session.clear()
    return redirect(url_for("home"), 303)


@app.errorhandler(OtpClientError)
def refused(error: OtpClientError) -> tuple[str, int]:
    """The page that the person is on again, with words for what happened."""
    name = getattr(error, "code", "")
    if "otp" in getattr(error, "fields", ()):
        name = "no_code"
    if name not in WORDS or name in ALARMING:
        app.logger.error("%s", error)  # nobody can mend it on the page; it has the request's id
    tries, seconds = getattr(error, "attempts_remaining", 0), getattr(error, "retry_after", 0) or 1
    if name == "invalid_otp" and not tries:
        name = "too_many_attempts"
    left = f"{tries} {'try' if tries == 1 else 'tries'}"
    flash(WORDS.get(name, OUR_FAULT).format(tries=left, wait=waiting(seconds)), "error")
    page = home() if request.endpoint == "begin" else code_page()
    return page, max(400, getattr(error, "status", 503))


def waiting(seconds: int) -> str:
    """In words, rounded up: who comes back when told to is not too early."""
    for unit, length in (("hours", 3600), ("minutes", 60)):
        if seconds >= 1.5 * length:
            return f"{math.ceil(seconds / length)} {unit}"
    return "1 second" if seconds == 1 else f"{seconds} seconds"


def send(phone_number: str, again: str | None = None) -> Sent:
    """What is on its way to this phone: a new code, or the one that was sent before."""
    call, ip = (otp.resend if again else otp.send), request.remote_addr
    locale = request.accept_languages.best
    try:
        return call(phone_number, client_ip=ip, locale=locale, idempotency_key=again)
    except OtpAlreadySent as error:
        return error.sent
    except DeliveryUnconfirmed:  # it may arrive, and its code is good
        flash(WORDS["delivery_unconfirmed"])
    try:
        return otp.send(phone_number, client_ip=ip)  # sends nothing: it tells of that code
    except OtpAlreadySent as error:
        return error.sent


def on_its_way(sent: Sent) -> Response:
    """To the code page. Seconds count from now: no clock but ours is asked."""
    if sent.delivery and sent.delivery.failure not in (None, "unconfirmed"):
        flash(WORDS["not_arrived"])  # the code that was sent before
    session["begun"] = {
        "phone_number": sent.phone_number,
        "verification_id": sent.verification_id,
        "channel": {"whatsapp": "on WhatsApp", "sms": "by SMS"}.get(sent.channel, ""),
        "expires": time.time() + sent.expires_in,
        "resend": time.time() + sent.resend_after,
        "may_resend": sent.sends_remaining > 0,
    }
    return redirect(url_for("code"), 303)


def code_page() -> str:
    begun = session["begun"] = session["begun"] | {"once": secrets.token_urlsafe()}
    left = {name: max(0, round(begun[name] - time.time())) for name in ("expires", "resend")}
    return render_template("code.html", begun=begun, left=left)

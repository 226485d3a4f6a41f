"""The headers that tell browsers what an answer may do: nothing, unless a page says otherwise."""

from __future__ import annotations

NOTHING = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
_UNNEEDED = (
    "accelerometer autoplay camera display-capture encrypted-media fullscreen geolocation "
    "gyroscope hid idle-detection magnetometer microphone midi payment picture-in-picture "
    "publickey-credentials-get screen-wake-lock serial usb xr-spatial-tracking"
)
EVERYWHERE = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _UNNEEDED.split()),
}
"""Headers of every response, also of those that the server makes without the application."""


def content_security_policy(
    *, style: str = "'self'", worker: str = "'none'", child: str = "'none'", form: str = "'none'"
) -> str:
    """A policy for a page whose scripts, styles and data all come from this server."""
    return (
        f"default-src 'none'; script-src 'self'; style-src {style}; img-src 'self' data:; "
        f"font-src 'self' data:; connect-src 'self'; worker-src {worker}; child-src {child}; "
        f"form-action {form}; base-uri 'none'; frame-ancestors 'none'"
    )

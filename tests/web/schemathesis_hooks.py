"""What JSON Schema can't say: which texts are phone numbers, codes and addresses; and how other
systems sign what they post, without which all that they hand over would be 401.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests
import schemathesis
from hypothesis import strategies as st

from tests.web.hooks import callers

PHONES = ["+1234567890", "+919876543210", "+14155552671", "447911123456", "+49 (0) 1512 3456789"]

schemathesis.openapi.format("phone", st.sampled_from(PHONES))
CODES = st.text("0123456789", min_size=6, max_size=6)

schemathesis.openapi.format("otp", CODES | CODES.map(lambda code: f"{code[:3]} - {code[3:]}"))
schemathesis.openapi.format("otp-text", CODES.map(lambda code: f"{code} is your code: 5 minutes"))
schemathesis.openapi.format("ip", st.ip_addresses().map(str))


@schemathesis.hook
def before_call(_context: object, case: Any, kwargs: dict[str, Any]) -> None:
    for caller in (callers.SUPABASE, callers.AUTHGEAR, callers.ZITADEL):
        if case.operation.path == caller.path:
            kwargs["auth"] = _signing(caller)


def _signing(
    caller: callers.Caller,
) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    """Of the very bytes that go out, however they were generated; unless they go out unsigned."""

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        signed = caller.signed(body if isinstance(body, bytes) else body.encode())
        if any(name in request.headers for name in signed if "signature" in name.lower()):
            request.headers.update(signed)
        return request

    return sign

"""What JSON Schema can't say: which texts are phone numbers, codes and addresses."""

from __future__ import annotations

import schemathesis
from hypothesis import strategies as st

PHONES = ["+1234567890", "+919876543210", "+14155552671", "447911123456", "+49 (0) 1512 3456789"]

schemathesis.openapi.format("phone", st.sampled_from(PHONES))
CODES = st.text("0123456789", min_size=6, max_size=6)

schemathesis.openapi.format("otp", CODES | CODES.map(lambda code: f"{code[:3]} - {code[3:]}"))
schemathesis.openapi.format("otp-text", CODES.map(lambda code: f"{code} is your code: 5 minutes"))
schemathesis.openapi.format("ip", st.ip_addresses().map(str))

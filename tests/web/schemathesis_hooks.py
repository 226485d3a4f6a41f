"""What JSON Schema can't say: which texts are phone numbers, codes and addresses."""

from __future__ import annotations

import schemathesis
from hypothesis import strategies as st

PHONES = ["+1234567890", "+919876543210", "+14155552671", "442071838750", "+49 30 901820"]

schemathesis.openapi.format("phone", st.sampled_from(PHONES))
CODES = st.text("0123456789", min_size=6, max_size=6)

schemathesis.openapi.format("otp", CODES | CODES.map(lambda code: f"{code[:3]} - {code[3:]}"))
schemathesis.openapi.format("ip", st.ip_addresses().map(str))

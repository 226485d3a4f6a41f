"""How Flask writes the JSON of answers."""

from __future__ import annotations

from typing import Any

from flask.json.provider import DefaultJSONProvider

from otp_service import json_text


class JsonProvider(DefaultJSONProvider):
    """In the order of their fields."""

    def dumps(self, obj: Any, **_: Any) -> str:
        return json_text.dumps(obj).decode()

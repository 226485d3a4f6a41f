"""Other sign-in systems' ways to hand over a code: a module for each, of pure functions."""

from __future__ import annotations

from collections.abc import Mapping

from otp_service.web.hooks.authgear import AUTHGEAR
from otp_service.web.hooks.hook import Format, Hook, Secrets
from otp_service.web.hooks.logto import LOGTO
from otp_service.web.hooks.supabase import SUPABASE
from otp_service.web.hooks.zitadel import ZITADEL

FORMATS = (SUPABASE, LOGTO, AUTHGEAR, ZITADEL)
_BY_PATH = {each.path: each for each in FORMATS}


def format_of(path: str) -> Format | None:
    """Who calls there, whether it is on or not."""
    return _BY_PATH.get(path)


def hooks(secrets: Mapping[str, Secrets], channel: str) -> list[Hook]:
    """Those that ``secrets``, by the names of formats, has one for."""
    return [Hook(each, secrets[each.name], channel) for each in FORMATS if each.name in secrets]

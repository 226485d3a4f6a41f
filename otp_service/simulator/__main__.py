"""``python -m otp_service.simulator``: `Options`, each as an option of its own."""

from __future__ import annotations

import argparse
import functools
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import MISSING, Field, fields
from typing import Any, Literal, NoReturn, get_args, get_origin, get_type_hints

from otp_service.simulator.options import QUIRKS, Options
from otp_service.simulator.simulator import Simulator

EXAMPLES = """\
examples:
  .venv/bin/python -m otp_service.simulator
  .venv/bin/python -m otp_service.simulator --api-key KEY --delay 0.2 \\
      --callback-url 'http://127.0.0.1:8000/webhooks/gupshup?token=SECRET'
  .venv/bin/python -m otp_service.simulator --seed 7 --quirk string-ts --quirk no-phone --read

quirks:
"""

SETTINGS = """\
Settings for .env, to point the service here (use the keys you gave, or any):
  GUPSHUP_API_URL={0.gupshup_url}
  GUPSHUP_SMS_API_URL={0.sms_url}
  META_API_URL={0.meta_url}
The phones: {0.url}/simulator    Seed: {0.seed}
The events, after `./otp events add {0.events_url}`: {0.url}/simulator/events"""


class _Parser(argparse.ArgumentParser):
    """Tells an error alone: its usage has 22 lines, above which the error would be out of sight."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\nTry --help, which lists the options.\n")

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        given = sys.argv[1:] if args is None else list(args)
        for each in given:
            try:
                each.encode()
            except UnicodeEncodeError:
                self.error(f"this argument is not UTF-8: {ascii(os.fsencode(each))[2:-1]}")
        return super().parse_args(given, namespace)


def parser() -> argparse.ArgumentParser:
    quirks = "\n".join(f"  {name:<14}{says}" for name, says in QUIRKS.items())
    made = _Parser(
        prog="python -m otp_service.simulator",
        description="Behaves like Gupshup and Meta over HTTP, on this machine. Sends nothing.",
        epilog=EXAMPLES + quirks,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    hints = get_type_hints(Options, include_extras=True)
    for option in fields(Options):
        kind, says = get_args(hints[option.name])
        _add(made, option, kind, says)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. 0 after a clean end, 1 if it can't listen there."""
    made = parser()
    given = {"port": Options.port, **vars(made.parse_args(arguments))}  # a test's is any free one
    try:
        simulator = Simulator(**given)
    except ValueError as wrong:
        made.error(str(wrong))
    except OSError as trouble:
        print(f"Can't listen on {given.get('host', Options.host)}: {trouble}", file=sys.stderr)
        return 1
    simulator.narrate(functools.partial(print, flush=True))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, simulator.stop)
    print(SETTINGS.format(simulator), flush=True)
    if simulator.host not in ("127.0.0.1", "::1", "localhost"):
        print("Everybody who reaches this port sees all codes: it asks for no password.")
    simulator.run()
    return 0


def _add(made: argparse.ArgumentParser, option: Field[Any], kind: Any, says: str) -> None:
    """What isn't given stays out of the result, so that `Options` keeps its defaults."""
    default = "" if option.default in (MISSING, "", False) else f" (default: {option.default})"
    name = "--" + option.name.replace("_", "-")
    settings: dict[str, Any] = {"dest": option.name, "default": argparse.SUPPRESS}
    settings["help"] = (says + default).replace("%", "%%")
    if kind is bool and option.default:
        name = name.replace("--", "--no-")
        settings |= {"action": "store_false", "help": f"switches off: {says}"}
    elif kind is bool:
        settings["action"] = "store_true"
    elif kind == set[str]:
        name, settings["action"] = name.removesuffix("s"), _Collect
        settings["metavar"] = name.rpartition("-")[2].upper()
    elif get_origin(kind) is Literal:
        choices = get_args(kind)
        settings |= {"choices": choices, "type": type(choices[0])}
    else:
        settings |= {"type": kind, "metavar": _placeholder(option.name, kind)}
    made.add_argument(name, **settings)


def _placeholder(name: str, kind: type) -> str:
    return {int: "N", float: "SECONDS" if name != "jitter" else "PART"}.get(
        kind, name.rpartition("_")[2].upper()
    )


class _Collect(argparse.Action):
    """Several times the same option: a set."""

    def __call__(
        self, made: object, given: argparse.Namespace, value: Any, option: str | None = None
    ) -> None:
        setattr(given, self.dest, {*getattr(given, self.dest, ()), value})


if __name__ == "__main__":
    sys.exit(main())

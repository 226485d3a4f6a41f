"""``python -m otp_service``, which `./otp` runs: the commands of `flask --app wsgi otp`.

They need nothing of Flask's own options, and tell of themselves even if the settings can't work.
"""

# ruff: noqa: E402
import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C is no traceback while this is imported

from flask.cli import ScriptInfo

from otp_service import create_app
from otp_service.cli import otp

signal.signal(signal.SIGINT, signal.default_int_handler)
otp.main(prog_name="otp", obj=ScriptInfo(create_app=create_app))

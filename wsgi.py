"""Where servers and `flask --app wsgi` find the application; `python wsgi.py` serves it."""

from otp_service import create_app
from otp_service.server.launch import main

__all__ = ["create_app"]

if __name__ == "__main__":
    main()

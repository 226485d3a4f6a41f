"""Which release of the client this is: apart from the service's own."""

__version__ = "1.0.0"

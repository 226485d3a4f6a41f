"""One blueprint a file: a view translates a request, delegates, and dresses the answer."""

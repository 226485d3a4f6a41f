"""One provider a file, or two with its receipts."""

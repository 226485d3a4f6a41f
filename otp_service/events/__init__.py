"""What happened, told over HTTP to those who asked for it: Standard Webhooks 1.0."""

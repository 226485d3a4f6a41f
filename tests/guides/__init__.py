"""The guides in docs/integrations: what they show is run as it stands."""

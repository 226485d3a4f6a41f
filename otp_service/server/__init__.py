"""waitress: how the service starts, listens, frames requests, queues them and stops."""

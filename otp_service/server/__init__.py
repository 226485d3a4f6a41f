"""How the service starts, listens, frames requests, queues them and stops, on waitress's parts."""

"""Two replicas behind a proxy, replaced one by one under load: see ../rolling-restart-test.sh."""

"""What is told of the service at work: log lines, metrics, gauges."""

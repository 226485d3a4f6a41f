"""Postgres under Patroni, failed over under load: what scripts/failover-test.sh runs."""

"""A probe: a contract of its own, compiled at test time, with a kernel over it on real PostgreSQL; see `probe.proto`."""

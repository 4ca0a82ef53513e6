"""Platform: tenants, access, reference facts, audit and dead letters."""

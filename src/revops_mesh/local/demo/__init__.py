"""The demo tenants: what a cloud vendor sells, to whom, and how its deals went."""

"""The HTTP side of the system: what browsers and partners reach. It knows contracts and the kernel's pipeline, never modules."""

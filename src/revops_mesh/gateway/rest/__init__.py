"""The REST bridge: HTTP and JSON over the contracts, derived from `google.api.http`."""

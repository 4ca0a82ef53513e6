"""How a client calls: channel, credentials, deadlines, retries, pages, streams, operations and refusals.

`revops_client`, which is generated, stands on it; it knows nothing of the member's code and of no method in particular.
"""

"""Where webhooks may go: to public addresses, and to networks that the installation allows; a name is looked up once an attempt.

A receiver's URL is a tenant's to choose, so it must lead neither into the installation nor to the services of its host
(server-side request forgery). Checked is the address that a socket is about to be connected to, no name and no text: nothing can
be resolved anew in between. Sources: IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890), WHATWG URL.
"""

import errno
import socket
from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from yarl import URL

from revops_mesh.kernel.errors import BadField

Network = IPv4Network | IPv6Network

_SPECIAL_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
            "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
            "224.0.0.0/4", "240.0.0.0/4",
            "168.63.129.16/32",  # public by its number, and yet the host of every machine in Azure
        ),
    )
)  # fmt: skip
_GLOBAL_V6 = IPv6Network("2000::/3")
"""All global unicast. What embeds an IPv4 address (mapped, NAT64) lies outside or is special: it is as good as that address."""
_SPECIAL_V6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the public internet's unicast addresses."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_V4)
    return address in _GLOBAL_V6 and not any(address in network for network in _SPECIAL_V6)


def may_connect(text: str, allowed: Collection[Network], *, plain: bool) -> bool:
    """Whether a connection to a numeric address is permitted; a plain one, without TLS, only inside the allowed networks."""
    address = ip_address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in allowed) or (not plain and is_public(address))


def networks(texts: Collection[str]) -> tuple[Network, ...]:
    """Networks from texts like "10.0.0.0/8"."""
    return tuple(map(ip_network, texts))


def must_be_sendable(url: str, allowed: Collection[Network], field: str) -> None:
    """Raises BadField for a URL to which nothing is ever sent; where a name leads is seen when something is."""
    try:
        parsed = URL(url)
        host, port = parsed.host, parsed.port
    except ValueError as error:
        raise BadField(field, f"is not a URL: {error}") from None
    plain = parsed.scheme == "http"
    if not host or not port or parsed.user is not None or parsed.password is not None or parsed.fragment:
        raise BadField(field, "must have a host, and neither user, password nor fragment")
    if parsed.scheme != "https" and not (plain and allowed):
        raise BadField(field, "must begin with https://")
    if (numeric := _numeric(host)) and not may_connect(numeric, allowed, plain=plain):
        raise BadField(field, "must not lead to an address that is not public")


def _numeric(host: str) -> str:
    """The address that a host is, in any form that a resolver takes as one, as in "127.1" or "0x7f000001"; "" for a name."""
    if ":" in host:
        return host
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return ""


class Doorkeeper:
    """Opens the sockets of one attempt: none to an address that is not permitted."""

    def __init__(self, allowed: Collection[Network], *, plain: bool) -> None:
        self._allowed, self._plain = allowed, plain

    def socket(self, found: tuple[Any, ...]) -> socket.socket:
        """A socket for an entry of `getaddrinfo`; `PermissionError` if its address is not permitted, without naming it."""
        family, kind, protocol, _, where = found
        if not may_connect(where[0], self._allowed, plain=self._plain):
            raise PermissionError(errno.EACCES, "the host has no address that webhooks may be sent to")
        return socket.socket(family, kind, protocol)

"""No form of an address leads inside: property tests over numbers, and over what resolvers take for one."""

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revops_mesh.kernel.errors import BadField
from revops_mesh.platform.webhooks.addresses import Doorkeeper, is_public, may_connect, must_be_sendable, networks

INSIDE = [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.192", "192.168.1.1", "198.18.0.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "168.63.129.16", "192.0.2.1", "198.51.100.1", "203.0.113.1",
]  # fmt: skip
INSIDE_V6 = [
    "::", "::1", "fe80::1", "fe80::1%lo", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe",
    "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001::1", "2001:db8::1", "3fff::1", "100::1", "fec0::1",
    "5f00::1",
]  # fmt: skip
OUTSIDE = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "172.15.255.255", "192.169.0.1", "100.128.0.1", "223.255.255.255", "11.0.0.1"]
OUTSIDE_V6 = ["2606:4700:4700::1111", "2a00:1450:4001::1", "2400:cb00::1", "::ffff:8.8.8.8"]
PRIVATE = st.one_of(
    *(
        st.integers(int(network.network_address), int(network.broadcast_address)).map(ipaddress.IPv4Address)
        for network in map(
            ipaddress.IPv4Network, ("10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
        )
    )
)
ANY_V4, ANY_V6 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address), st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address)


@pytest.mark.parametrize("address", INSIDE + INSIDE_V6)
def test_nothing_inside_is_connected_to(address: str) -> None:
    assert not may_connect(address, (), plain=False)


@pytest.mark.parametrize("address", OUTSIDE + OUTSIDE_V6)
def test_the_public_internet_is_with_tls_alone(address: str) -> None:
    assert may_connect(address, (), plain=False)
    assert not may_connect(address, (), plain=True)


@given(ANY_V4 | ANY_V6)
def test_what_is_public_here_is_global_by_the_standard_library(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert not is_public(address) or (address.is_global and not address.is_multicast)


@given(ANY_V4)
def test_only_special_blocks_are_closed(address: ipaddress.IPv4Address) -> None:
    assert (
        is_public(address) or not address.is_global or address.is_multicast or str(address).startswith(("192.88.99.", "168.63."))
    )


@given(PRIVATE)
def test_an_address_inside_another_is_as_good_as_that(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    mapped, compatible = ipaddress.IPv6Address((0xFFFF << 32) + number), ipaddress.IPv6Address(number)
    nat64 = ipaddress.IPv6Address((0x0064FF9B << 96) + number)
    six_to_four = ipaddress.IPv6Address((0x2002 << 112) + (number << 80) + 1)
    teredo = ipaddress.IPv6Address((0x20010000 << 96) + (number ^ 0xFFFFFFFF))
    for disguised in (mapped, compatible, nat64, six_to_four, teredo):
        assert not may_connect(str(disguised), (), plain=False), disguised


def forms(address: ipaddress.IPv4Address) -> list[str]:
    """What resolvers and browsers take for an IPv4 address: decimal, octal and hexadecimal numbers, and fewer than four."""
    number, parts = int(address), [int(part) for part in str(address).split(".")]
    a, b, c, d = parts
    return [
        str(address), str(number), hex(number), f"0{number:o}", f"{a}.{(b << 16) + (c << 8) + d}", f"{a}.{b}.{(c << 8) + d}",
        ".".join(map(hex, parts)), ".".join(f"0{part:o}" for part in parts), f"{a}.{b:#x}.0{c:o}.{d}", f"0x{number:X}",
    ]  # fmt: skip


@given(PRIVATE, st.sampled_from(["", ":443", ":8443"]), st.sampled_from(["", "/", "/hooks?x=1"]))
def test_no_form_of_a_private_address_is_a_url_of_an_endpoint(address: ipaddress.IPv4Address, port: str, path: str) -> None:
    hosts = [*forms(address), f"[::ffff:{address}]", f"[::{address}]", f"[64:ff9b::{address}]"]
    for host in hosts:
        with pytest.raises(BadField):
            must_be_sendable(f"https://{host}{port}{path}", (), "url")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "https://", "https:///hooks", "https://user@example.com/", "https://user:secret@example.com/",
        "https://:secret@example.com/", "https://example.com/#part", "https://example.com:0/", "https://example.com:99999/",
        "https://[::1/", "https://[fe80::1%25lo]/", "ftp://example.com/", "https://127.0.0.1@example.com/",
    ],
)  # fmt: skip
def test_a_url_that_leads_nowhere_or_carries_secrets_is_refused(url: str) -> None:
    with pytest.raises(BadField) as refused:
        must_be_sendable(url, (), "webhook_endpoint.url")
    assert refused.value.field == "webhook_endpoint.url"
    assert "secret" not in str(refused.value).replace("neither user, password", "")


@pytest.mark.parametrize(
    "url", ["https://example.com/", "https://xn--bcher-kva.example/x?y=%20z", "https://8.8.8.8:8443/", "https://[2606:4700::1]/"]
)
def test_an_ordinary_url_is_taken(url: str) -> None:
    must_be_sendable(url, (), "url")


def test_what_the_installation_allows_is_reached_with_and_without_tls() -> None:
    allowed = networks(["10.0.0.0/8", "fd00::/8"])
    for address in ("10.9.8.7", "::ffff:10.9.8.7", "fd00::1"):
        assert may_connect(address, allowed, plain=True)
    for address in ("11.0.0.1", "127.0.0.1", "fe80::1"):
        assert not may_connect(address, allowed, plain=True)
    must_be_sendable("http://10.9.8.7/", allowed, "url")
    must_be_sendable("http://erp.internal/", allowed, "url")
    for url in ("http://127.1/", "http://8.8.8.8/"):
        with pytest.raises(BadField):
            must_be_sendable(url, allowed, "url")


@given(ANY_V4)
def test_a_socket_is_opened_exactly_for_what_may_be_connected_to(address: ipaddress.IPv4Address) -> None:
    found = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (str(address), 443))
    if may_connect(str(address), (), plain=False):
        Doorkeeper((), plain=False).socket(found).close()
    else:
        with pytest.raises(PermissionError) as refused:
            Doorkeeper((), plain=False).socket(found)
        assert str(address) not in str(refused.value)

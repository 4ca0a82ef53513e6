"""How many requests an edition has, counted per tenant, per caller and, without sound credentials, per address.

A token bucket (generic cell rate) in whole nanoseconds of the monotonic clock: exact in one process. Every process counts on its
own, so that a tenant gets at least what it bought (decision 19). Source of the headers: draft-ietf-httpapi-ratelimit-headers-10.
"""

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from time import monotonic_ns
from typing import Any

from revops.options.v1 import options_pb2 as options
from revops.platform.v1 import reasons_pb2 as platform
from revops.platform.v1 import tokens_pb2 as tokens

from revops_mesh.kernel.errors import refuse

from .doors import Door, Sender
from .refusals import Headers, Refused, refused

CALLER = "/revops.platform.v1.TokenService/GetCaller"
SECOND = 1_000_000_000
REMEMBERED = 15 * SECOND
"""How long it is known whose a credential is; the member asks more often whether it still is."""
PATIENCE_SECONDS = 5.0
MOST_KNOWN = 50_000
ADDRESS_PER_SECOND, ADDRESS_BURST = 20, 200
"""Requests of one address without sound credentials."""


class Bucket:
    """One limit of one tenant, caller or address."""

    __slots__ = ("burst", "full_at", "name", "per_second", "policy")

    def __init__(self, name: str, per_second: int, burst: int) -> None:
        self.name, self.full_at = name, 0
        """`full_at`: when it would be full if nothing more were taken, nanoseconds."""
        self.resize(per_second, burst)

    def resize(self, per_second: int, burst: int) -> None:
        """Has other limits from now on, as after a change of edition."""
        self.per_second, self.burst = per_second, burst
        self.policy = f'"{self.name}";q={burst};w={-(-burst // per_second)}'

    def wait(self, now: int) -> int:
        """Nanoseconds until one can be taken, 0 if at once."""
        return max(0, max(self.full_at - now, 0) - (self.burst - 1) * SECOND // self.per_second)

    def take(self, now: int) -> None:
        """Takes one."""
        self.full_at = max(self.full_at, now) + SECOND // self.per_second

    def give_back(self) -> None:
        """Undoes a `take`."""
        self.full_at -= SECOND // self.per_second

    def left(self, now: int) -> int:
        """How many could be taken now."""
        return self.burst - -(-max(self.full_at - now, 0) * self.per_second // SECOND)

    def state(self, now: int) -> str:
        """The item of the `RateLimit` field: what is left, and seconds until it is full."""
        return f'"{self.name}";r={max(self.left(now), 0)};t={-(-max(self.full_at - now, 0) // SECOND)}'


@dataclass(slots=True)
class Known:
    """Whose a credential is."""

    buckets: tuple[Bucket, ...]
    until: int
    policies: bytes


class Limits:
    """The limits of one process."""

    def __init__(self, door: Door, proxies: Collection[str] = (), now: Callable[[], int] = monotonic_ns) -> None:
        """Networks of `proxies` may say in X-Forwarded-For for whom they ask; `now` gives nanoseconds."""
        self._door, self._proxies, self._now = door, [ip_network(each) for each in proxies], now
        self._buckets: dict[Hashable, Bucket] = {}
        self._known: dict[bytes, Known] = {}

    async def admit(self, headers: Mapping[bytes, bytes], peer: str, *, credentials: bool) -> Headers:
        """Takes one from each limit that holds and gives the headers of the answer. Raises `Refused`: 429, or 401.

        `credentials` tells whether those that are sent matter; without, the address counts.
        """
        credential = headers.get(b"authorization") if credentials else None
        if credential is None:
            return self._take(self._of_address(headers, peer))
        known = self._known.get(credential)
        if known is None or known.until <= self._now():
            known = await self._learned(credential, headers, peer)
        return self._take(known)

    def _take(self, known: Known) -> Headers:
        now = self._now()
        for bucket in known.buckets:
            if wait := bucket.wait(now):
                raise _limited(bucket, wait, _headers(known, bucket, now))
        for bucket in known.buckets:
            bucket.take(now)
        return _headers(known, min(known.buckets, key=lambda bucket: bucket.left(now)), now)

    async def _learned(self, credential: bytes, headers: Mapping[bytes, bytes], peer: str) -> Known:
        """Asks the member whose a credential is; an unsound one counts for the address."""
        address = self._of_address(headers, peer)
        told = self._take(address)
        try:
            sender = Sender({"authorization": credential.decode("latin-1")}, peer, PATIENCE_SECONDS)
            caller: Any = await self._door.answer(CALLER, tokens.GetCallerRequest(), sender)
        except Refused as refusal:
            if refusal.reason == "HTTP_PATH_UNKNOWN":  # the member behind serves other capabilities alone
                return address
            if refusal.http == 401:
                refusal.headers = (*refusal.headers, *told)
            else:
                address.buckets[0].give_back()
            raise
        address.buckets[0].give_back()
        rate = options.Edition.DESCRIPTOR.values_by_number[caller.edition].GetOptions().Extensions[options.rate]
        own = self._bucket(("caller", caller.tenant, caller.name), rate.caller_per_second, rate.caller_burst)
        shared = self._bucket(("tenant", caller.tenant), rate.per_second, rate.burst)
        known = self._known[credential] = Known((own, shared), self._now() + REMEMBERED, _policies(own, shared))
        return known

    def _of_address(self, headers: Mapping[bytes, bytes], peer: str) -> Known:
        bucket = self._bucket(("address", self._network(headers, peer)), ADDRESS_PER_SECOND, ADDRESS_BURST)
        return Known((bucket,), 0, _policies(bucket))

    def _network(self, headers: Mapping[bytes, bytes], peer: str) -> str:
        """Who asks: the last address before the trusted proxies; of IPv6 the 64 bits that one customer has."""
        hops = headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",") if self._proxies else []
        found = peer
        while hops and self._trusted(found):
            found = hops.pop().strip() or found
        try:
            address = ip_address(found.partition("%")[0])  # a zone is the sender's own affair (RFC 4007)
        except ValueError:
            return peer
        if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
            return address.exploded[:19]
        return str(getattr(address, "ipv4_mapped", None) or address)

    def _trusted(self, address: str) -> bool:
        try:
            return any(ip_address(address) in network for network in self._proxies)
        except ValueError:
            return False

    def _bucket(self, key: tuple[str, ...], per_second: int, burst: int) -> Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= MOST_KNOWN or len(self._known) >= MOST_KNOWN:
                self._sweep()
            bucket = self._buckets[key] = Bucket(key[0], per_second, burst)
        elif (bucket.per_second, bucket.burst) != (per_second, burst):
            bucket.resize(per_second, burst)
        return bucket

    def _sweep(self) -> None:
        """Forgets full buckets, which is as if they had never been; all of them if that is not enough."""
        now = self._now()
        kept = {key: bucket for key, bucket in self._buckets.items() if bucket.full_at > now}
        self._buckets = kept if len(kept) < MOST_KNOWN // 2 else {}
        self._known.clear()


def _policies(*buckets: Bucket) -> bytes:
    return ", ".join(bucket.policy for bucket in buckets).encode()


def _headers(known: Known, tightest: Bucket, now: int) -> Headers:
    return [(b"ratelimit-policy", known.policies), (b"ratelimit", tightest.state(now).encode())]


def _limited(bucket: Bucket, wait: int, headers: Headers) -> Refused:
    said = "The {scope} may send {per_second} requests a second: wait."
    failure = refuse(platform.RATE_LIMITED, said, scope=bucket.name, per_second=bucket.per_second)
    return refused(failure.retry(wait / SECOND), *headers)

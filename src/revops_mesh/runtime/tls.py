"""TLS by files that are read again when they change, as when a workload's certificate or its authority is renewed.

A file that cannot be read or understood changes nothing: what was read before stays in use.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates

_log = logging.getLogger("revops.tls")


class Renewed:
    """Files that may be replaced at any time. Not shared between threads."""

    def __init__(self, *paths: Path | None) -> None:
        self._paths, self._seen = [path for path in paths if path is not None], list[int]()

    def read(self) -> Sequence[bytes] | None:
        """Their contents in order, None if nothing has changed since the last time. Raises `OSError`."""
        times = [path.stat().st_mtime_ns for path in self._paths]
        if times == self._seen:
            return None
        contents = [path.read_bytes() for path in self._paths]
        self._seen = times
        return contents


def credentials(cert: Path, key: Path, client_ca: Path | None) -> grpc.ServerCredentials:
    """With `client_ca`, only clients with a certificate of that authority are let in. Raises `OSError`."""
    files = Renewed(key, cert, client_ca)

    def changed() -> grpc.ServerCertificateConfiguration:
        """Asked by gRPC at every handshake, in a thread of its own; None keeps what there is (the stubs do not know)."""
        contents = files.read()
        if contents is None:
            return None  # type: ignore[return-value]
        _must_fit(*contents)
        pair, roots = (contents[0], contents[1]), contents[2] if client_ca else None
        return grpc.ssl_server_certificate_configuration([pair], roots)

    return grpc.dynamic_ssl_server_credentials(changed(), changed, client_ca is not None)


class ClientCredentials:
    """Of the channels to peers: the certificate that this process also serves with, and the authority of theirs."""

    def __init__(self, cert: Path, key: Path, authority: Path | None) -> None:
        self._files, self._authority = Renewed(key, cert, authority), authority

    def renewed(self) -> grpc.ChannelCredentials | None:
        """New credentials if a file has changed, else None. Raises `OSError`, and `ValueError` for files that do not fit."""
        contents: Any = self._files.read()
        if contents is None:
            return None
        _must_fit(*contents)
        return grpc.ssl_channel_credentials(contents[2] if self._authority else None, contents[0], contents[1])


def _must_fit(key: bytes, cert: bytes, authority: bytes = b"") -> None:
    """Raises `ValueError` unless the key is the certificate's and the authority is one; gRPC says so only when it calls."""
    if load_pem_private_key(key, None).public_key() != load_pem_x509_certificates(cert)[0].public_key():
        raise ValueError("the key does not belong to the certificate")
    if authority:
        load_pem_x509_certificates(authority)

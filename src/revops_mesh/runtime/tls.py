"""TLS of the server, and mutual TLS, by files that are read again when they change, as when a workload certificate is renewed."""

from pathlib import Path

import grpc


def credentials(cert: Path, key: Path, client_ca: Path | None) -> grpc.ServerCredentials:
    """With `client_ca`, only clients with a certificate of that authority are let in. Raises `OSError`."""
    files = [path for path in (key, cert, client_ca) if path is not None]
    known: list[int] = []

    def changed() -> grpc.ServerCertificateConfiguration:
        """Asked by gRPC at every handshake, in a thread of its own; None keeps what there is (the stubs do not know)."""
        times = [path.stat().st_mtime_ns for path in files]
        if times == known:
            return None  # type: ignore[return-value]
        pair, roots = (key.read_bytes(), cert.read_bytes()), client_ca.read_bytes() if client_ca else None
        known[:] = times
        return grpc.ssl_server_certificate_configuration([pair], roots)

    return grpc.dynamic_ssl_server_credentials(changed(), changed, client_ca is not None)

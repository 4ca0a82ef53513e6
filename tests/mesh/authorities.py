"""Certificate authorities of tests, and workload certificates with SPIFFE IDs. Source: SPIFFE, X.509-SVID."""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TRUST_DOMAIN = "acme.example"


class Authority:
    """An authority; `{name}.pem` in its directory is its certificate."""

    def __init__(self, directory: Path, name: str) -> None:
        self.directory, self.key = directory, ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.path = directory / f"{name}.pem"
        self.cert = self._sign(self.name, self.key, x509.BasicConstraints(ca=True, path_length=0))
        written(self.path, self.pem)

    @property
    def pem(self) -> bytes:
        return self.cert.public_bytes(serialization.Encoding.PEM)

    def _sign(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, of: x509.ExtensionType) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).add_extension(of, critical=False)
        # Two authorities of one name, as in a rotation, are told apart by their keys.
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        own = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(own, critical=False)
        builder = builder.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=1))
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, name: str, *uris: str) -> tuple[bytes, bytes]:
        """A certificate for localhost with some URIs, and its key; `{name}.pem` and `{name}.key` hold them."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = [x509.DNSName("localhost"), *map(x509.UniformResourceIdentifier, uris)]
        cert = self._sign(subject, key, x509.SubjectAlternativeName(names))
        plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        pair = cert.public_bytes(serialization.Encoding.PEM), key.private_bytes(*plain)
        for suffix, content in zip(("pem", "key"), pair, strict=True):
            written(self.directory / f"{name}.{suffix}", content)
        return pair


def spiffe(path: str, trust_domain: str = TRUST_DOMAIN) -> str:
    """The SPIFFE ID of a workload."""
    return f"spiffe://{trust_domain}/{path}"


def written(path: Path, content: bytes) -> None:
    """Replaces a file at once, as a mounted secret is replaced."""
    fresh = path.with_name(f".{path.name}")
    fresh.write_bytes(content)
    fresh.replace(path)

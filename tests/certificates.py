"""An authority of one's own, and what it has signed: for a server on this machine, and for its clients."""

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_HERE = x509.SubjectAlternativeName(
    [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))],
)
_DAY = datetime.timedelta(days=1)


class Certificates:
    """Files in a directory: `ca.crt`, and `.crt` and `.key` of whatever is signed."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named("an authority of the tests")
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        self._keep("ca", self._signed(self._name, self._key.public_key(), constraints))
        self.sign("redis")
        self.sign("client")

    def path(self, name: str) -> str:
        """Where a file is."""
        return str(self._directory / name)

    def sign(self, name: str) -> None:
        """A key and a certificate for this machine."""
        key = ec.generate_private_key(ec.SECP256R1())
        self._keep(name, self._signed(_named(name), key.public_key(), _HERE))
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self._directory / f"{name}.key").write_bytes(private)

    def _signed(
        self, name: x509.Name, key: ec.EllipticCurvePublicKey, extension: x509.ExtensionType
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder(self._name, name, key, x509.random_serial_number(), now - _DAY, now + _DAY)
            .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
            .sign(self._key, SHA256())
        )

    def _keep(self, name: str, certificate: x509.Certificate) -> None:
        (self._directory / f"{name}.crt").write_bytes(certificate.public_bytes(Encoding.PEM))


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

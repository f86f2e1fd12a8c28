"""An authority that makes certificates for a test. Nothing of it outlives the test."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def moment(**fields):
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**fields)


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Pair:
    """A certificate and its key, in PEM."""

    def __init__(self, certificate, key):
        self.certificate = certificate.public_bytes(serialization.Encoding.PEM)
        self.sha256 = certificate.fingerprint(hashes.SHA256()).hex()
        self.key = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    def write(self, folder):
        """Both files, as programs do that renew certificates: one after the other."""
        (folder / "certificate.pem").write_bytes(self.certificate)
        (folder / "key.pem").write_bytes(self.key)


class Authority:
    def __init__(self, text="an authority"):
        self.name, self.key = name(text), ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(self.name, self.key, days=3650)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.pem = Pair(builder.sign(self.key, hashes.SHA256()), self.key).certificate

    def _builder(self, subject, key, begun=None, **ends):
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(begun or moment(days=-2)).not_valid_after(moment(**ends))

    def server(self, **ends):
        """For the loopback address."""
        return self._pair(ExtendedKeyUsageOID.SERVER_AUTH, ends)

    def client(self, **ends):
        return self._pair(ExtendedKeyUsageOID.CLIENT_AUTH, ends)

    def _pair(self, purpose, ends):
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(name("one of them"), key, **(ends or {"days": 90}))
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        return Pair(builder.sign(self.key, hashes.SHA256()), key)

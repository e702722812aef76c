# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate authority of the lab's own, the server's certificate, and kubeconfig files."""

from __future__ import annotations

import base64
import datetime
import ipaddress
from typing import TYPE_CHECKING, NamedTuple

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Iterable

# What the API server's certificate is for inside a cluster.
NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
CLUSTER = "netmedic-lab"
_LIFETIME = datetime.timedelta(days=30)
_EARLIER = datetime.timedelta(minutes=5)


class Issued(NamedTuple):
    """Certificates and the server's key as PEM."""

    authority: str
    certificate: str
    key: str


def issue(
    addresses: Iterable[str], start: datetime.datetime | None = None, lifetime: datetime.timedelta = _LIFETIME
) -> Issued:
    """A new authority and a server certificate for these addresses, valid from five minutes before `start` (now)."""
    begin = (start or datetime.datetime.now(datetime.UTC)) - _EARLIER
    end = begin + lifetime
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = _named("netmedic-lab-ca")
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    authority = (
        _begun(issuer, issuer, authority_key.public_key(), begin, end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in NAMES]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    certificate = (
        _begun(_named("kube-apiserver"), issuer, key.public_key(), begin, end)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(signer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    encoding = serialization.Encoding.PEM
    return Issued(
        authority.public_bytes(encoding).decode(), certificate.public_bytes(encoding).decode(), private.decode()
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    begin: datetime.datetime,
    end: datetime.datetime,
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return builder.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)


def kubeconfig(server: str, authority: str, user: str, token: str, namespace: str = "default") -> str:
    """A kubeconfig file for one user."""
    context = {"cluster": CLUSTER, "user": user, "namespace": namespace}
    trusted = base64.b64encode(authority.encode()).decode()
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": CLUSTER, "cluster": {"server": server, "certificate-authority-data": trusted}}],
            "contexts": [{"name": CLUSTER, "context": context}],
            "current-context": CLUSTER,
            "users": [{"name": user, "user": {"token": token}}],
        },
        sort_keys=False,
    )

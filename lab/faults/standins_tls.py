# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins for Felix and Typha that know each other by certificates: real TLS, Calico's rules, none of its protocol.

Both are told by the variables of the real ones, and judge as typha/pkg/tlsutils does: the other end's certificate must
be signed by the own authority and bear the expected common name. What they refuse, or are refused, they write into
their container's log in the words of v3.29 and of Go's TLS. An alert is OpenSSL's: where Go says "bad certificate" of
an authority it does not trust, OpenSSL says "unknown certificate authority".
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, NamedTuple

from ..controller import hosts
from . import standins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric import ec

    from ..machine import Machine
    from .model import Case

FOLDER = "/run/stand-ins-tls"
PORT = 5473
CLIENT, SERVER = "calico-node", "calico-typha"
_LIFETIME = datetime.timedelta(days=30)
_COMMON = """\
import os, socket, ssl, sys, time
def say(words):
    now = time.time()
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now)) + ".%03d" % (now % 1 * 1000)
    mark = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + ".%09dZ stdout F " % (now % 1 * 1e9)
    with open(sys.argv[1], "a") as log:
        log.write(mark + stamp + " " + words + chr(10))
def why(error):
    if isinstance(error, ssl.SSLCertVerificationError):
        return "tls: failed to verify certificate: x509: certificate signed by unknown authority"
    alert = (error.reason or "").rpartition("_ALERT_")[2].lower().replace("_", " ")
    return "remote error: tls: " + {"unknown ca": "unknown certificate authority"}.get(alert, alert)
def misnamed(connection, wanted):
    names = [value for part in connection.getpeercert()["subject"] for key, value in part if key == "commonName"]
    return "" if wanted in names else "peer certificate does not have required CN"
def context(purpose, own, key, trusted):
    made = ssl.SSLContext(purpose)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_cert_chain(os.environ[own], os.environ[key])
    made.load_verify_locations(os.environ[trusted])
    return made
"""
_FELIX = """\
address = (sys.argv[2], int(sys.argv[3]))
tls = context(ssl.PROTOCOL_TLS_CLIENT, "FELIX_TYPHACERTFILE", "FELIX_TYPHAKEYFILE", "FELIX_TYPHACAFILE")
def refuse(words):
    say("[WARNING][65] felix/sync_client.go 188: Failed to connect to typha endpoint %s:%d.  Will try another if "
        'available... error=%s type=""' % (*address, words))
while True:
    try:
        with socket.create_connection(address) as plain, tls.wrap_socket(plain) as connection:
            words = misnamed(connection, os.environ["FELIX_TYPHACN"])
            if words:
                refuse(words)
            while not words and connection.recv(1):
                pass
    except ssl.SSLCertVerificationError as error:
        refuse(why(error))
    except ssl.SSLError as error:
        say("[ERROR][65] felix/sync_client.go 410: Failed to read from server connection=&discovery.Typha"
            '{Addr:"%s:%d"} error=%s type=""' % (*address, why(error)))
    except OSError:
        pass
    time.sleep(2)
"""
_TYPHA = """\
import threading
tls = context(ssl.PROTOCOL_TLS_SERVER, "TYPHA_SERVERCERTFILE", "TYPHA_SERVERKEYFILE", "TYPHA_CAFILE")
def serve(plain, peer):
    try:
        with tls.wrap_socket(plain, server_side=True) as connection:
            words = misnamed(connection, os.environ["TYPHA_CLIENTCN"])
            if words:
                refuse(peer, words)
            while not words and connection.recv(1):
                pass
    except ssl.SSLCertVerificationError as error:
        refuse(peer, why(error))
    except OSError:
        pass
def refuse(peer, words):
    say("[ERROR][7] sync_server.go 428: TLS handshake error client=%s:%d error=%s" % (*peer, words))
with socket.create_server(("", int(sys.argv[2]))) as listener:
    while True:
        threading.Thread(target=serve, args=listener.accept(), daemon=True).start()
"""


class Authority(NamedTuple):
    """An authority: its certificate as PEM, its key, its name."""

    pem: str
    key: ec.EllipticCurvePrivateKey
    name: str

    @classmethod
    def made(cls, name: str) -> Authority:
        """A new one."""
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        return cls(_certificate(name, name, key, key, authority=True), key, name)

    def issue(self, name: str) -> tuple[str, str]:
        """A certificate for a common name and its key, as PEM."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        plain = serialization.NoEncryption()
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        return _certificate(name, self.name, key, self.key, authority=False), private.decode("ascii")


def _certificate(
    name: str, issuer: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, *, authority: bool
) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import NameOID

    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _LIFETIME)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode("ascii")


def felix(case: Case, machine: Machine, typha: str, files: Mapping[str, str], service: str) -> None:
    """Start Felix' stand-in, which dials a Typha; `files` as `put` returns them."""
    told = {
        "FELIX_TYPHAK8SSERVICENAME": service,
        "FELIX_TYPHACN": SERVER,
        "FELIX_TYPHACERTFILE": files["certificate"],
        "FELIX_TYPHAKEYFILE": files["key"],
        "FELIX_TYPHACAFILE": files["authority"],
    }
    log = hosts.log_file(machine, standins.log_of(case, machine.name, "calico-node"))
    standins.start(case, machine, standins.FELIX, [_script(machine, "felix", _FELIX), log, typha, str(PORT)], told)


def typha(case: Case, machine: Machine, files: Mapping[str, str], log_directory: str) -> None:
    """Start Typha's stand-in, which listens."""
    told = {
        "TYPHA_CLIENTCN": CLIENT,
        "TYPHA_SERVERCERTFILE": files["certificate"],
        "TYPHA_SERVERKEYFILE": files["key"],
        "TYPHA_CAFILE": files["authority"],
    }
    log = hosts.log_file(machine, (log_directory, 0))
    standins.start(case, machine, standins.TYPHA, [_script(machine, "typha", _TYPHA), log, str(PORT)], told)


def _script(machine: Machine, who: str, text: str) -> str:
    path = f"{FOLDER}/{who}.py"
    machine.file(FOLDER).mkdir(parents=True, exist_ok=True)
    machine.file(path).write_text(_COMMON + text, encoding="ascii")
    return path


def put(machine: Machine, who: str, name: str, signer: Authority, trusted: Authority) -> dict[str, str]:
    """Put a certificate for a common name, its key and the trusted authority onto a machine; the paths."""
    certificate, key = signer.issue(name)
    paths = {}
    for what, text in (("certificate", certificate), ("key", key), ("authority", trusted.pem)):
        paths[what] = f"{FOLDER}/{who}/{what}.pem"
        path = machine.file(paths[what])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    return paths

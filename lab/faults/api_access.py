# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's way to the API server, and what it shows there: certificate and token."""

from __future__ import annotations

import base64
import json
import time

from . import standins
from .model import Case, Fault, Variant, listener
from .standins import FELIX

_KUBECONFIG = "/etc/cni/net.d/calico-kubeconfig"
_CERTIFICATE = "/var/lib/kubelet/pki/kubelet-client-current.pem"
_HOUR = 3600
_FIELD = "    token: "
_PORT = 6443


def _table(case: Case) -> str:
    return f"ip api_filter_{case.node.number}"


def _cut_off(case: Case) -> None:
    """The fabric drops what the node sends to the API; Felix' stand-in asks for it at the address that it is told."""
    table, gateway = _table(case), case.node.subnet.gateway
    for command in (
        f"nft add table {table}",
        f"nft add chain {table} input {{ type filter hook input priority 0 ; policy accept ; }}",
        f"nft add rule {table} input ip saddr {case.node.address} tcp dport {_PORT} drop",
    ):
        case.run(command.split(), case.lab.fabric)
    told = {"KUBERNETES_SERVICE_HOST": gateway, "KUBERNETES_SERVICE_PORT": str(_PORT)}
    standins.felix(case, case.machine, told, gateway, _PORT)
    words = "Failed to get config from datastore"
    why = (
        f'Get "https://{gateway}:{_PORT}/apis/crd.projectcalico.org/v1/felixconfigurations": dial tcp {gateway}:{_PORT}'
    )
    standins.felix_says(case, case.target, f"%t [ERROR][65] felix/daemon.go 180: {words} error={why}: i/o timeout")


def _open(case: Case) -> None:
    case.try_run(["nft", "delete", "table", *_table(case).split()], case.lab.fabric)
    standins.stop(case, case.machine, FELIX)
    standins.forget_log(case)


def _not_cut_off(case: Case) -> str:
    wanted = f":{_PORT:04X} 02"
    with open(f"/proc/{case.machine.process.pid}/net/tcp", encoding="ascii") as file:
        return "" if any(wanted in line for line in file) else f"{case.target} does not ask for the API yet"


def _age_token(case: Case) -> None:
    path = case.machine.file(_KUBECONFIG)
    before = case.undo["text"] = path.read_text(encoding="utf-8")
    lines = [_FIELD + expired_token(time.time()) if line.startswith(_FIELD) else line for line in before.splitlines()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    case.lab.say(f"  {case.target}: an expired token in {_KUBECONFIG}")


def expired_token(now: float) -> str:
    """A token in the form of a service account's, a day old and past its end; its signature is none."""
    header = {"alg": "RS256", "kid": "lab"}
    account = "system:serviceaccount:kube-system:calico-cni-plugin"
    claims = {"iat": int(now) - 25 * _HOUR, "nbf": int(now) - 25 * _HOUR, "exp": int(now) - _HOUR, "sub": account}
    parts = [json.dumps(each, separators=(",", ":")).encode() for each in (header, claims)]
    return ".".join(base64.urlsafe_b64encode(each).decode().rstrip("=") for each in (*parts, b"of no value"))


def _renew_token(case: Case) -> None:
    if case.machine.running and "text" in case.undo:
        case.machine.file(_KUBECONFIG).write_text(case.undo["text"], encoding="utf-8")


def _expire(case: Case) -> None:
    give_certificate(case, days_ago=366, days_left=-1)


def give_certificate(case: Case, days_ago: float, days_left: float) -> None:
    """Give the target's kubelet a client certificate that began so long ago and ends in so many days."""
    path = case.machine.file(_CERTIFICATE)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(kubelet_certificate(case.target, days_ago, days_left), encoding="ascii")
    case.lab.say(f"  {case.target}: {_CERTIFICATE}, begun {days_ago:g} days ago, ends in {days_left:g}")


def kubelet_certificate(name: str, days_ago: float, days_left: float) -> str:
    """A kubelet's certificate (without its key) that began so long ago and ends in so many days, as PEM."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:nodes")
    subject = x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, f"system:node:{name}")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=days_ago))
        .not_valid_after(now + datetime.timedelta(days=days_left))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode("ascii")


def remove_certificate(case: Case) -> None:
    """Take the kubelet's certificate away again."""
    case.try_run(["rm", "-f", _CERTIFICATE])


def _there(_case: Case) -> str:
    return ""


APISERVER = Fault(
    id="apiserver_unreachable",
    description="the network drops what the node sends to the API server (a stand-in for Felix asks for it)",
    inject=_cut_off,
    heal=_open,
    missing=_not_cut_off,
    default=listener,
    variants=(Variant("network", "dropped in the fabric"),),
    breaks_sessions=False,
)

TOKEN = Fault(
    id="cni_token_expired",
    description="the CNI plugin's token on the node is past its end",
    inject=_age_token,
    heal=_renew_token,
    missing=_there,
    default=listener,
    variants=(Variant("file", f"in {_KUBECONFIG}"),),
    breaks_sessions=False,
)

CERTIFICATE = Fault(
    id="certificate_expired",
    description="the kubelet's client certificate on the node is past its end",
    inject=_expire,
    heal=remove_certificate,
    missing=_there,
    default=listener,
    variants=(Variant("kubelet", f"{_CERTIFICATE}"),),
    breaks_sessions=False,
)

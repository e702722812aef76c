# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with asking the API, each said in one sentence or two: what, where, and what to do next."""

from __future__ import annotations

import json
import re
import time

from . import redact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Say = Callable[[str, str, str], str]

# What a problem is, for whoever has to decide whether to try again and which status a source gets.
CONFIG, UNREACHABLE, TIMEOUT, BROKEN = "config", "unreachable", "timeout", "broken"
UNAUTHORISED, FORBIDDEN, ABSENT, EXPIRED = "unauthorised", "forbidden", "absent", "expired"
THROTTLED, FAILING, REFUSED, ANSWER, LATE = "throttled", "failing", "refused", "answer", "late"
# Of changes: the object is not what it was, or of that name there is one already.
CONFLICT = "conflict"
_LONGEST, _LONGEST_SENT = 300, 4096
_READER = "collect"
_MANIFEST = (
    "Apply roles/{role}/files/rbac.yml of this collection and ask with a kubeconfig of its account; its head tells how"
)
# What few repairs need is in manifests of its own, so that nobody gives it away unasked.
_MANIFESTS = (
    "Apply roles/{role}/files/rbac.yml of this collection, for some repairs one more beside it, and ask with a "
    "kubeconfig of its account"
)

# In what a webhook refuses, whatever status it chooses for that.
_DENIED = "denied the request"
_END_OF_SENTENCE = re.compile(r"(?<=[\w)\]\"'])\.\s+(?=[A-Z])")
# As whom the API knows those who bring no credentials.
ANONYMOUS = "system:anonymous"
# Go's whole answer to who speaks plain HTTP where TLS is spoken.
_PLAIN_TO_TLS = b"HTTP request to an HTTPS server"

_REASONS = {
    "Unauthorized": 401,
    "Forbidden": 403,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "NotAcceptable": 406,
    "AlreadyExists": 409,
    "Conflict": 409,
    "Invalid": 422,
    "BadRequest": 400,
    "Expired": 410,
    "Gone": 410,
    "TooManyRequests": 429,
    "InternalError": 500,
    "ServiceUnavailable": 503,
    "ServerTimeout": 504,
    "Timeout": 504,
}


class ApiError(Exception):
    """Something went wrong with a request, with what a person has to know. `kind` is one of the words above."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.sentence = " ".join(sentence.split())[:600]


def nobody(place: str) -> ApiError:
    """Return the problem of asking without credentials; what a plugin printed is not for others to read."""
    return ApiError(
        UNAUTHORISED,
        f"Nobody is logged in to the API with {place}: its credential plugin failed or gave nothing, or it has no "
        "credentials. Install what the plugin needs or log in again (kubectl get nodes must work with it), or name "
        "another one.",
    )


def status_of_reason(word: str) -> int:
    """Return the HTTP status for a reason of the API ("NotFound"), 0 for an unknown one."""
    return _REASONS.get(word, 0)


def of_status(status: int, message: str, path: str, server: str, where: str, role: str = _READER) -> ApiError:
    """Return what an answer with this status means. `message`: the API's own; `where`: whence the access comes; `role`:
    the one whose manifest allows what was asked."""
    what = path.partition("?")[0]
    said = f": {message}" if message else ""
    if status == 401:
        return ApiError(
            UNAUTHORISED,
            f"The API at {server} does not accept the credentials from {where} (401): they have expired, were revoked "
            f"or belong to another cluster. Renew them and run again.",
        )
    if status == 403 and _DENIED not in message:
        manifest = (_MANIFEST if role == _READER else _MANIFESTS).format(role=role)
        return ApiError(FORBIDDEN, f"Not allowed at {server}{said or f': {what}'}. {manifest}.")
    if status == 404:
        # To who only reads, the path says it all; of who writes into a namespace, that may be missing.
        return ApiError(ABSENT, f"{server} has no {what} (404{said if role != _READER else ''}).")
    if status == 409:
        return ApiError(CONFLICT, f"{server} refuses {what} with 409{said}.")
    if status in (410, 429):
        kind, means = (EXPIRED, "the list went stale") if status == 410 else (THROTTLED, "too many requests")
        return ApiError(kind, f"{server} ended {what} with {status} ({means}){said}.")
    if status >= 500:
        look = "that webhook and its pods" if "failed calling webhook" in message else "kube-apiserver and etcd"
        return ApiError(FAILING, f"{server} answers {what} with {status}{said}. Look at {look}.")
    if 300 <= status < 400:
        return ApiError(
            REFUSED, f"{server} redirects elsewhere ({status}), as no API server does. Check the address from {where}."
        )
    return ApiError(REFUSED, f"{server} refuses {what} with {status}{said}.")


def message_of(body: bytes) -> str:
    """Return the first sentence of a Status object, '' if the body is none; never a piece of any other body."""
    if _PLAIN_TO_TLS in body[:200]:
        return _PLAIN_TO_TLS.decode()
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if isinstance(found, dict) and found.get("kind") == "Status" and isinstance(found.get("message"), str):
        sentence = _END_OF_SENTENCE.split(found["message"][:_LONGEST_SENT], maxsplit=1)[0]
        return " ".join(redact.text(sentence, _LONGEST).split()).rstrip(".")
    return ""


def _tls(what: str) -> Say:
    return lambda server, where, _detail: f"The certificate of {server} {what.format(where=where, now=_now())}"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


# The trouble with a connection -> its sentence from server, origin of the access, and detail.
_CONNECTION: dict[str, Say] = {
    "dns": lambda server, where, _detail: (
        f"The name in {server} cannot be resolved on this host. Check the address from {where} and this host's DNS."
    ),
    "refused": lambda server, where, _detail: (
        f"Nothing listens at {server} (connection refused). Check that "
        f"kube-apiserver runs, and the address from {where}."
    ),
    "reset": lambda server, where, _detail: (
        f"{server} closed the connection before it answered. Check whether an API "
        f"server or a broken load balancer is behind the address from {where}."
    ),
    "timeout": lambda server, _where, detail: (
        f"{server} did not answer{detail}. Check the way there (firewall, route, "
        "load balancer), and whether kube-apiserver is overloaded."
    ),
    "no_route": lambda server, where, _detail: (
        f"There is no way from this host to {server}. Check this host's network and the address from {where}."
    ),
    "not_yet": _tls(
        "is not valid yet by this host's clock ({now}). Compare the clocks of this host and of the control plane; one "
        "of them is wrong, or the certificate was just made."
    ),
    "over": _tls(
        "has expired by this host's clock ({now}). Renew the control plane's certificates (kubeadm certs renew, or a "
        "restart with RKE2 and k3s), or set this host's clock."
    ),
    "unknown_ca": _tls(
        "is not signed by the CA from {where}. Take the cluster's own CA (ca_cert, certificate-authority-data); the "
        "kubeconfig may belong to a cluster that was made anew, or a proxy stands in between."
    ),
    "other_name": _tls(
        "is for other names than the address from {where}. Use one of the names in it, or have this one added to it."
    ),
    "no_tls": lambda server, where, _detail: (
        f"{server} does not speak TLS. Check scheme and port of the address from {where}."
    ),
    "is_tls": lambda server, where, _detail: (
        f"{server} speaks TLS, but the address from {where} begins with http://. Use https://."
    ),
    "client_cert": lambda server, where, _detail: (
        f"{server} does not accept the client certificate from {where}: it has "
        "expired or belongs to another cluster. Renew the kubeconfig."
    ),
    "proxy_auth": lambda server, _where, _detail: (
        f"The proxy on the way to {server} wants a user and password (407). "
        "Set them in the proxy's URL, or put the API server into no_proxy."
    ),
    "proxy": lambda server, _where, detail: (
        f"The proxy on the way to {server} does not pass the connection on{detail}. "
        "Check proxy, HTTPS_PROXY and no_proxy."
    ),
}


def of_connection(trouble: str, server: str, where: str, detail: str = "") -> ApiError:
    """Return the problem for this trouble with the connection, a key of the table above or '' for any other, which
    `detail` then tells."""
    kind = {"timeout": TIMEOUT, "reset": BROKEN}.get(trouble, UNREACHABLE)
    say = _CONNECTION.get(trouble)
    if say is None:
        why = redact.text(detail, _LONGEST) or "the connection failed"
        return ApiError(kind, f"{server} could not be reached: {why}. Check the address from {where}.")
    return ApiError(kind, say(server, where, redact.text(detail, _LONGEST)))


def not_json(server: str, path: str, where: str) -> ApiError:
    """Return the problem of an answer that is no JSON object."""
    return ApiError(
        ANSWER,
        f"What {server} answers to {path.partition('?')[0]} is no JSON object, or only half of one. Check that the "
        f"address from {where} is that of an API server and of no other service or login page.",
    )

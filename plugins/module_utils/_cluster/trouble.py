# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an exception or a program's complaint says about a connection, in one word of problems.of_connection()."""

from __future__ import annotations

import errno
import socket
import ssl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_DEEPEST = 12
# OpenSSL's X509_V_ERR_…
_VERIFY = {9: "not_yet", 10: "over", 18: "unknown_ca", 19: "unknown_ca", 20: "unknown_ca", 21: "unknown_ca"}
_OTHER_NAME = (62, 64)
_ERRORS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ETIMEDOUT: "timeout",
    errno.EHOSTUNREACH: "no_route",
    errno.ENETUNREACH: "no_route",
    errno.EADDRNOTAVAIL: "no_route",
}
# In this order: what stands first is more telling where several are in one text. Go's and Python's words.
_WORDS = (
    ("certificate is not yet valid", "not_yet"),
    ("certificate has expired or is not yet valid", "over"),
    ("certificate has expired", "over"),
    ("proxy authentication required", "proxy_auth"),
    ("connection failed: 407", "proxy_auth"),
    ("proxyconnect", "proxy"),
    ("tunnel connection failed", "proxy"),
    ("cannot connect to proxy", "proxy"),
    ("unable to connect to proxy", "proxy"),
    ("signed by unknown authority", "unknown_ca"),
    ("self signed certificate", "unknown_ca"),
    ("self-signed certificate", "unknown_ca"),
    ("unable to get local issuer", "unknown_ca"),
    ("certificate is valid for", "other_name"),
    ("doesn't contain any ip sans", "other_name"),
    ("hostname mismatch", "other_name"),
    ("gave http response to https client", "no_tls"),
    ("first record does not look like a tls handshake", "no_tls"),
    ("wrong version number", "no_tls"),
    ("http request to an https server", "is_tls"),
    ("bad certificate", "client_cert"),
    ("certificate required", "client_cert"),
    ("alert certificate expired", "client_cert"),
    ("alert unknown ca", "client_cert"),
    ("expired certificate", "client_cert"),
    ("no such host", "dns"),
    ("name or service not known", "dns"),
    ("name resolution", "dns"),
    ("server misbehaving", "dns"),
    ("connection refused", "refused"),
    ("was refused", "refused"),
    ("no route to host", "no_route"),
    ("network is unreachable", "no_route"),
    ("i/o timeout", "timeout"),
    ("timed out", "timeout"),
    ("deadline exceeded", "timeout"),
    ("client.timeout exceeded", "timeout"),
    ("handshake timeout", "timeout"),
    ("connection reset", "reset"),
    ("unexpected eof", "reset"),
    ("remote end closed", "reset"),
    ("connection aborted", "reset"),
)


def of_error(error: BaseException) -> str:
    """Return the word for an exception and those behind it; '' if none of them tells.

    Libraries wrap what happened several times, each in another way; the type of the innermost one says most, the text
    of the outermost the next.
    """
    chain = list(_chain(error))
    for one in chain:
        # What went wrong with a proxy is no trouble of the API server.
        if "Proxy" in type(one).__name__ or "Tunnel" in str(one):
            return _of_proxy(chain)
    for one in reversed(chain):
        found = _of_one(one)
        if found:
            return found
    return of_text(" ".join(str(one) for one in chain))


def _of_proxy(chain: list[BaseException]) -> str:
    text = " ".join(str(one) for one in chain)
    return "proxy_auth" if "407" in text else "proxy"


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting and len(seen) < _DEEPEST:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [getattr(one, "reason", None), *one.args, one.__cause__]
        if one.__cause__ is None and not one.__suppress_context__:
            waiting.append(one.__context__)


def _of_one(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        code = error.verify_code
        return "other_name" if code in _OTHER_NAME else _VERIFY.get(code, "") or of_text(str(error))
    if isinstance(error, ssl.SSLError):
        return of_text(str(error).replace("_", " "))
    if isinstance(error, socket.gaierror):
        return "dns"
    if isinstance(error, (socket.timeout, TimeoutError)):
        return "timeout"
    if isinstance(error, OSError) and error.errno in _ERRORS:
        return _ERRORS[error.errno]
    return ""


def of_text(text: str) -> str:
    """Return the word for what a program wrote about its connection; '' if nothing of it is known."""
    folded = text.lower()
    if "certificate has expired or is not yet valid" in folded and " is before " in folded:
        return "not_yet"
    return next((word for words, word in _WORDS if words in folded), "")

# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kubectl and calicoctl say where they get nothing from the API server, or nothing of the kind that was asked for.

The words are those of kubectl 1.5 to 1.35 (k8s.io/kubectl/pkg/cmd/util/helpers.go, k8s.io/apimachinery's errors) and of
Go's net and crypto/x509 packages, which they pass on. They tell of the way from where somebody typed to the API server,
of that server, and of the one who asked; never of Calico.
"""

from __future__ import annotations

import re

from . import lines, tried
from .parsed import Parsed
from .tried import Attempt

CHECK = "api"
CERTIFICATE, UNTRUSTED, UNAUTHORIZED, FORBIDDEN = "certificate", "untrusted", "unauthorized", "forbidden"
# Nobody dates a certificate later than it is made: a clock is wrong, here or where it was made.
NOT_YET = "certificate_of_the_future"
NO_KIND, TOO_SLOW = "no_kind", "too_slow"
_BEGINS = re.compile(
    r"(?:Unable to connect to the server: |The connection to the server \S+ was refused|error: You must be logged in"
    r"|error: the server doesn't have a resource type|error: unable to recognize|error: resource mapping not found"
    r"|error: no matches for kind|no matches for kind|Error from server(?: \(\w+\))?: |error: context deadline exceeded"
    r"|Failed to create Calico API client: |Failed to get resources: |error: error loading config file"
    r"|[EIW]\d{4} .{0,60}memcache\.go:\d+\] )"
)
_DATED = "x509: certificate has expired or is not yet valid: current time "
_LONGEST = 200
_AT = re.compile(r"(?:dial tcp |https://|to the server )(?P<host>\[[0-9a-fA-F:]+\]|[\w.-]{1,253}):(?P<port>\d{1,5})")
_MEANS = (
    (" is before 2", NOT_YET),
    ("certificate has expired", CERTIFICATE),
    ("not yet valid", CERTIFICATE),
    ("x509: ", UNTRUSTED),
    ("tls: ", UNTRUSTED),
    ("(Unauthorized)", UNAUTHORIZED),
    ("nauthorized", UNAUTHORIZED),
    ("must be logged in", UNAUTHORIZED),
    ("asked for the client to provide credentials", UNAUTHORIZED),
    ("(Forbidden)", FORBIDDEN),
    ("forbidden", FORBIDDEN),
    ("resource type", NO_KIND),
    ("no matches for kind", NO_KIND),
    ("was refused", tried.REFUSED),
    ("onnection refused", tried.REFUSED),
    ("no route to host", tried.UNREACHABLE),
    ("is unreachable", tried.UNREACHABLE),
    ("i/o timeout", tried.TIMEOUT),
    ("TLS handshake timeout", TOO_SLOW),
    ("deadline exceeded", tried.TIMEOUT),
    ("Client.Timeout exceeded", tried.TIMEOUT),
    ("(Timeout)", TOO_SLOW),
    ("(ServiceUnavailable)", TOO_SLOW),
    ("etcdserver: ", TOO_SLOW),
    ("unable to handle the request", TOO_SLOW),
)


def parse(text: str) -> Parsed[tuple[Attempt, ...]]:
    """Return what came of asking the API server, each once; of what a certificate's dates are, whoever says it."""
    found: dict[tuple[str, str], Attempt] = {}
    for _number, line in lines.numbered(text):
        said = line.strip()
        dated = said.find(_DATED)
        result = _result(said) if dated >= 0 or _BEGINS.match(said) else ""
        if result and len(found) < tried.MOST:
            at = _AT.search(said)
            target = tried.end(at.group("host").strip("[]")) if at is not None else ""
            port = tried.port(at.group("port")) if at is not None else None
            told = said if len(said) <= _LONGEST or dated < 0 else said[dated:]
            one = Attempt(CHECK, target, result, port=port, said=told[:_LONGEST])
            # The dates tell more than that there was something with them.
            if dated >= 0 or (target, result) not in found:
                found[target, result] = one
    return Parsed(tuple(found.values()))


def _result(said: str) -> str:
    return next((result for words, result in _MEANS if words in said), "")

# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What CoreDNS says of its own network: it is a pod like others, and one that logs what does not answer it.

What it asks the API server it asks by client-go (tools/cache/reflector.go, in klog's form) and by its plugin
kubernetes; what it asks servers outside of the cluster its plugin errors tells: "[ERROR] plugin/errors: 2 example.org.
A: read udp 10.1.102.153:58843->192.168.2.1:53: i/o timeout" (CoreDNS 1.3 to 1.12, Go's net package).
"""

from __future__ import annotations

import re

from . import calico_log
from .log_lines import LONGEST_TEXT, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .calico_log import Line

COREDNS = "coredns"
# Kinds: the API server does not answer the pod; servers of names outside of the cluster do not.
API, UPSTREAM = "pod_api", "pod_upstream"
_WORDS = ("reflector.go", "plugin/kubernetes", "plugin/errors")
_API = r"dial tcp \S{1,64}: (?:i/o timeout|connect: (?!connection refused)[a-z ]{1,40})"
_UPSTREAM = r"read udp \S{1,64}->\S{1,64}:53: (?:i/o timeout|read: (?!connection refused)[a-z ]{1,40})"
_KLOG = r"[IWEF]\d{4} \d\d:\d\d:\d\d"
_HEAD = 60


def parse(text: str, now: float, ahead: int | None = None) -> list[Line]:
    """Return the lines of CoreDNS' log that tell of a way that is closed; `now` and `ahead` as in calico_log."""
    found = []
    for raw in text.splitlines():
        if not any(words in raw for words in _WORDS):
            continue
        for kind, pattern in ((UPSTREAM, _UPSTREAM), (API, _API)):
            match = re.search(pattern, raw)
            if match is not None:
                begins = re.search(_KLOG, raw)
                message = raw[begins.start() if begins else max(raw.find("["), 0) :]
                if len(message) > LONGEST_TEXT:
                    message = f"{message[:_HEAD]}… {match.group()}"
                found.append(calico_log.Line(calico_log.time_of(raw, now, ahead), COREDNS, kind, shown(message)))
                break
    return found

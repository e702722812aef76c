# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences of Calico's programs as people quote them: in titles, tickets and chats, without time, level and place.

They are those of Calico 3.0 to 3.32 at level WARNING and above: startup.go and autodetection_methods.go below
node/pkg/lifecycle/startup; client.go, sync_client.go and discovery.go below typha/pkg; ipsets.go and int_dataplane.go
below felix; install.go and plugin.go below cni-plugin; main.go of kube-controllers.
"""

from __future__ import annotations

import re

from ...module_utils._host.calico_log_words import CALICO_LINES
from ...module_utils._host.log_lines import stamp
from . import lines

# What the CNI plugin says: kubelet passes it on, often as a line of its own.
OF_THE_PLUGIN = (
    "error getting ClusterInformation: ",
    "Final result of CNI ADD was an error",
    "Final result of CNI DEL was an error",
    "stat /var/lib/calico/nodename: no such file",
    "no podCidr for node ",
    # What kubelet says of it in events, beside which people leave type, reason and age out.
    "Failed to create pod sandbox: rpc error: ",
    "Failed create pod sandbox: rpc error: ",
    'Error syncing pod, skipping: failed to "SetupNetwork"',
)
_SENTENCES = (
    *OF_THE_PLUGIN,
    "Unable to auto-detect an IPv",
    "Unable to auto-detect IPv",
    "Couldn't autodetect an IPv",
    "Invalid IP autodetection method",
    "Unable to confirm IPv",
    "Unable to autoassign an address",
    "Hit error connecting to datastore",
    "Unable to set node resource configuration",
    "Unable to set NetworkUnavailable",
    "Create is not supported on Node",
    "Failed to connect to Typha",
    "onnect to typha endpoint",
    "onnecting to typha endpoint",
    "Typha discovery enabled but discovery failed",
    "Didn't find any ready Typha instances",
    "Unable to create token for CNI kubeconfig",
    "Failed to initialize Calico datastore",
    "Kernel's RPF check is set to 'loose'",
    "Failed to update IP sets after multiple retries",
    "Failed to program iptables",
    "Failed to add IPIP tunnel device",
    "Failed configure IPIP tunnel device",
    "Failed to configure VXLAN tunnel device",
    "Failed configure VXLAN tunnel device",
    "Bad return code from 'ipset list",
    "Failed to set NetworkUnavailable",
    # of libcalico, in the CNI plugin and in libnetwork's, before 3.0 as well
    "No configured Calico pools",
    "No IPv4 addresses available in pool",
    "No IPv6 addresses available in pool",
)
# Of these paths only Calico's programs ask; and what Go's packages say if nobody answers, or nobody
# whom one may believe.
_CALICO_API = "/apis/crd.projectcalico.org/"
# client-go's words (tools/cache/reflector.go), which all that watches the API says in the same way.
_WATCHING = ("Failed to list *v1", "Failed to watch *v1")
_NO_ANSWER = re.compile(r": (?:dial tcp \S{1,64}: (?:i/o timeout|connect: )|x509: |tls: )")
# Where a line was written, which is left of it when its time and level are cut off.
_POSITION = re.compile(r"\W{0,3}[a-z][\w-]{1,40}/\w{2,40}\.go \d{1,5}: ")
_KLOG = re.compile(r"(?:^|[\s:])[IWEF]\d{4} \d\d:\d\d:\d\d\.\d")
_LEVEL = re.compile(r"\[(?:DEBUG|INFO|WARNING|ERROR|FATAL|PANIC)\]|\blevel=\w")
MARK = "[ERROR] "
# A title or a message in a message has some words before the sentence; prose has more.
_WORDS_BEFORE = 10
_SENTENCE_BEFORE = re.compile(r"[a-z][.!?] \S")
_CALLED = re.compile(r"\w\([\"'`f]{0,2}$")
_ASKED = re.compile(r"\?[\"'`)\s]{0,4}$")


def is_bare(line: str) -> bool:
    """Say whether a line holds one of these sentences, and nothing before it that the program writes there."""
    if not _tells(line) or _LEVEL.search(line) or _KLOG.search(line) or stamp(line)[0] is not None:
        return False
    return lines.command(line) is None


def _tells(line: str) -> bool:
    if any(words in line and _is_said(line, line.find(words)) for words in _SENTENCES):
        return True
    if any(words in line for words in (_CALICO_API, *_WATCHING)) and _NO_ANSWER.search(line):
        return True
    return _POSITION.match(line) is not None and any(words in line for _kind, words in CALICO_LINES)


def _is_said(line: str, at: int) -> bool:
    """Say whether what stands in a line at a place is quoted: not asked about, nor the source of a program, nor in the
    midst of what somebody tells."""
    before = line[:at]
    if len(before.split()) > _WORDS_BEFORE or _SENTENCE_BEFORE.search(before):
        return False
    return not _CALLED.search(before) and not _ASKED.search(line)


def marked(text: str) -> str:
    """Return a log in which sentences that lost their level have one again: programs say them at no lower one."""
    if not any(words in text for words in (*_SENTENCES, _CALICO_API, *_WATCHING, ".go ")):
        return text
    return "\n".join(MARK + row if is_bare(row) else row for row in text.split("\n"))

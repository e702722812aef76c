# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What collectors call the outputs that they keep: `calicoctl node diags`, `calicoctl cluster diags`, Calico's log
folder, and the log collection of IBM Cloud Kubernetes Service.

Names of calicoctl's files: calicoctl/commands/node/diags.go and cluster/diags.go of releases 3.21 to 3.32. A name only
says what a text is where its content leaves that open.
"""

from __future__ import annotations

import re

from .._texts import bare_words, kubectl_events, recognise

# By a file's name: the kind that its content is expected to be, and the canonical name of it.
_NAMES = {
    "ipv4_route": ("ip-route", "ip-route.txt"),
    "ipv6_route": ("ip-route", "ip6-route.txt"),
    "ip-route-v6.txt": ("ip-route", "ip6-route.txt"),
    "ipv4_addr": ("ip-addr", "ip-addr.txt"),
    "ipv6_addr": ("ip-addr", "ip-addr.txt"),
    "ipv4_tables": ("iptables-save", "iptables-save.txt"),
    "ipv6_tables": ("iptables-save", "ip6tables-save.txt"),
    "ipsets": ("ipset", "ipset.txt"),
    "ipset_container": ("ipset", "ipset.txt"),
    "netstat": ("sockets", "sockets.txt"),
    "ss": ("sockets", "sockets.txt"),
}
# Collected by the same programs, and of no use here.
_OF_NO_USE = re.compile(
    r"(?:date|container_creation_time|conntrack-list\.txt|tc-qdisc\.txt|files_with_unsupported_annotation\.txt"
    r"|version\.yaml|bpf-[\w-]+\.(?:json|txt)|[\w-]+-id_\d+\.txt)$"
)
# What people write for whoever is on duty: its outputs are examples, of no cluster or of another one.
_MANUAL = re.compile(
    r"(?:^|/)(?:docs?|documentation|runbooks?|wiki|knowledge-?base|how-?tos?)/(?:[^/]+/)*[^/]+\.(?:md|txt|rst|adoc|html?)$"
    r"|(?:^|[/_. -])(?:run-?books?|how-?to|faq|troubleshooting-guide)(?:[_. -][^/]*)?\.(?:md|txt|rst|adoc|html?)$",
    re.IGNORECASE,
)
# The archive of the role must_gather: its index, and outputs that no diagnosis reads.
_FOR_PEOPLE = re.compile(r"(?:index\.json|INDEX\.md|nodes/[^/]+/more/.+)$")
# runit's folders below /var/log/calico, each with a file `current` and older ones that are called @<time>.
_OF_RUNIT = re.compile(r"(?:^|/)(?P<service>[\w-]+)/(?:current|@[0-9a-f]{24}\.[su])$")
_SERVICES = {"bird": "bird.log", "bird6": "bird6.log", "confd": "confd.log", "cni": "cni.log"}
_STYLE = r"(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ )?\[[A-Z]+\]\[\d+(?:/[\w-]+)?\] "
_CALICO_NODE = re.compile(
    _STYLE + r"(?:felix|confd|startup|monitor-addresses|tunnel-ip-allocator|status-reporter|cni-config-monitor"
    r"|int_dataplane|health|daemon|calc_graph|autodetection|ipip_mgr|config|resource|client|table|ipsets)[/.]"
    r"|(?:^|[\s\]|:\"])bird6?: (?!bird)\S"
    r"|Calico node (?:started successfully|failed to start)|Starting node \S+ with version"
    # What releases before 3.0 print at their start has nothing before it.
    r"|Using (?:auto)?detected IP|Calico node ?\S{1,253} (?:is )?already using the IPv|is already in use by host",
    re.MULTILINE,
)
# confd of releases before 3.0, a program of its own.
_CONFD = re.compile(r"\bconfd\[\d+\]: (?:DEBUG|INFO|WARNING|ERROR|FATAL) ")
_CNI_INSTALLER = re.compile(
    _STYLE + r"(?:cni-installer/|install\.go)|Wrote Calico CNI binaries|CNI config: \{", re.MULTILINE
)
_TYPHA = re.compile(_STYLE + r"(?:typha/|sync_server\.go|snapcache)", re.MULTILINE)
_CONTROLLERS = re.compile(_STYLE + r"(?:kube-controllers/|main\.go \d+: Loaded configuration)", re.MULTILINE)
_KUBELET = re.compile(
    r"\b(?:kubelet|kubelite)\[\d+\]: |^[IWEF]\d{4} .{0,200}\b(?:kubelet|pod_workers|prober)\w*\.go:", re.MULTILINE
)
_CNI_PLUGIN = re.compile("|".join(map(re.escape, bare_words.OF_THE_PLUGIN)))
# klog's form, of files that only flannel has with these words (main.go, pkg/subnet/kube/kube.go, pkg/backend).
_FLANNEL = re.compile(
    r"^.{0,80}[IWEF]\d{4} \d\d:\d\d:\d\d.{0,60}\b(?:main|kube|vxlan|match|network|iptables)\.go:\d+\] "
    r"(?:Determining IP address of default|Using interface with name|Defaulting external|Found network config"
    r"|Error (?:registering|fetching) |Failed to (?:create SubnetManager|find any valid interface)|VXLAN config: "
    r"|Could not find valid interface|Failed to find interface to use"
    r"|Created subnet manager|Starting kube subnet manager|failed to (?:register network|acquire lease))"
    # What client-go says for it begins with the package that asks.
    r"|\] github\.com/(?:coreos|flannel-io)/flannel/\S{1,80}: [Ff]ailed to (?:list|watch) ",
    re.MULTILINE,
)
# What CoreDNS prints at its start, and before what its plugins say.
_COREDNS = re.compile(
    r"(?:^|[^\w/])(?:CoreDNS-\d|(?:\[(?:INFO|WARNING|ERROR)\] )?plugin/[a-z]{2,20}: )|/coredns/plugin/kubernetes/"
    # What a client of the API built from Go's modules asks for that is about services.
    r"|pkg/mod/k8s\.io/client-go\S{1,80}: Failed to (?:watch|list) \*\w{1,20}\.(?:Service|Endpoints|EndpointSlice)\b",
    re.MULTILINE,
)
_KUBE_PROXY = re.compile(
    r"\bkube-proxy(?:\[\d+\])?: |^.{0,80}[IWEF]\d{4} \d\d:\d\d:\d\d.{0,40}\b(?:proxier|server_others)\.go:\d+\] ",
    re.MULTILINE,
)
_LOOKED_AT = 128 * 1024
# The letters that Kubernetes makes names of; X stands for them where somebody wrote of a pod in general.
_RANDOM = "(?:[bcdfghjklmnpqrstvwxz2456789]{5}|X{5})(?![A-Za-z0-9])"
_POD = re.compile(
    rf"(?:calico-node|canal|rke2-canal|calico-(?:typha|kube-controllers|apiserver)-[a-z0-9]{{6,10}})-{_RANDOM}"
)


def canonical(path: str, kind: str, text: str) -> str:
    """Return the canonical name of a text that a collector keeps under this path, '' if it has no name of its own."""
    base = path.rpartition("/")[2]
    wanted, name = _NAMES.get(base, ("", ""))
    if name and kind in ("", wanted):
        return name
    of_runit = _OF_RUNIT.search(path)
    if of_runit is not None:
        return _SERVICES.get(of_runit.group("service"), "calico-node.log")
    if base == "journalctl_calico_node":
        return "calico-node.log"
    return of_log(base, text) if kind == "log" or (not kind and base.endswith(".log")) else ""


def of_log(base: str, text: str) -> str:
    """Return the canonical name of a log, by the name of its file (without folders) and by what stands in it; '' if
    it is none that anybody reads."""
    lower = base.lower()
    if _is_named(lower, ("-ext.", "calico-extension", "-extension.")):
        return "calico-extension.log"
    if _is_named(lower, ("-cni.", "install-cni")):
        return "install-cni.log"
    if lower.startswith("cni.log"):
        return "cni.log"
    some = text[:_LOOKED_AT] + text[-_LOOKED_AT:]
    if _CONTROLLERS.search(some) or "kube-controllers" in lower:
        # Of the pod kubelet speaks, too, and people call what it says by the pod's name.
        return "cni.log" if kubectl_events.SANDBOX.match(some) else "calico-kube-controllers.log"
    others = [] if _KUBELET.search(some) else [(_FLANNEL, "kube-flannel.log")]
    if others and not _CALICO_NODE.search(some):
        others += [(_COREDNS, "coredns.log"), (_KUBE_PROXY, "kube-proxy.log")]
    for pattern, name in (
        *others,
        (_TYPHA, "typha.log"),
        (_CALICO_NODE, "calico-node.log"),
        (_CONFD, "confd.log"),
        (_KUBELET, "kubelet.log"),
        (_CNI_PLUGIN, "cni.log"),
    ):
        if pattern.search(some):
            return name
    if _CNI_INSTALLER.search(some):
        return "install-cni.log"
    if _is_named(lower, ("typha",)):
        return "typha.log"
    return "calico-node.log" if _is_named(lower, ("calico-node", "canal", "calico_node")) else ""


def hint(base: str) -> str:
    """Return the canonical name that stands in a file's name beside a machine's or a date, '' if there is none."""
    lower = base.lower()
    found = [one for one in recognise.KINDS if re.search(rf"(?:^|[^a-z0-9]){re.escape(one)}(?![a-z0-9])", lower)]
    return max(found, key=len) + ".txt" if found else ""


def of_no_use(path: str) -> bool:
    """Say whether a collector keeps under this name what nobody here has a use for."""
    return _OF_NO_USE.search(path.rpartition("/")[2]) is not None


def for_people(path: str) -> bool:
    """Say whether must_gather puts under this path what is for people only."""
    return _FOR_PEOPLE.match(path) is not None


def is_manual(path: str) -> bool:
    """Say whether a text tells of faults in general, by where it lies."""
    return _MANUAL.search(path) is not None


def pod(words: str) -> str:
    """Return the name of a pod of Calico's in a path or a command, '' if there is none."""
    match = _POD.search(words)
    return match.group() if match else ""


def _is_named(base: str, words: tuple[str, ...]) -> bool:
    return any(word in base for word in words)

# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of Felix and the kernel's packet filters: missing parts, tools that do not fit, rules in two places."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...module_utils._host.kernel_features import NEEDS
from .._gate import model as gate_model
from .._gate.gate import gate
from . import agent_pod, api, commands, gate_signals, host_words, words
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Missing, Remedy, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.host_state import HostState
    from .._evidence.model import Node

CALICO, PROXY = "calico", "kube-proxy"
SHOWN_BACKENDS = {"iptables_legacy": "legacy", "iptables_nft": "nft"}
# The first iptables that calico-node carries in both forms.
BOTH_FORMS = (1, 8)
# Felix ends itself with these words when it has tried in vain for some time.
GAVE_UP = ("giving up", "after multiple retries", "after retries", "before panic")
_UNREADABLE = ("incompatible nft rules", "is incompatible, use 'nft' tool")
PROGRAMMING = ("iptables", "nftables", "ipset", "tunnel", "rp_filter", "mtu")

# --- parts of the kernel --------------------------------------------------------------------------------------------


def kernels_that_lack(evidence: Evidence) -> Iterator[Subject]:
    """Nodes whose kernel lacks a part, as lists of its modules or programs on it tell."""
    yield from host_words.each(
        evidence,
        lambda node: node.state.kernel_missing or node.control.lines("kernel_lacks", "kernel_module"),
    )


def program_meets_no_such_part(evidence: Evidence, subject: Subject) -> list[Seen]:
    """One of the tools iptables, ipset and nft says that the kernel does not have what it asks for, or the kernel
    itself that it cannot load a part."""
    return host_words.told(subject, "kernel_lacks")


def nothing_to_load_modules_from(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A module was asked for (modprobe), and there is none to load."""
    return host_words.told(subject, "kernel_module")


def lists_lack_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kernel neither has the part built in nor loaded, nor is there a module of it to load."""
    missing = subject.node.state.kernel_missing if subject.node else ()
    return [Seen(subject.nodes[0], "kernel modules", words.listed(missing))] if missing else []


def tunnel_cannot_be_made(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Felix cannot make or set up its tunnel device."""
    return host_words.told(subject, "tunnel")


def _modules(subject: Subject) -> str:
    missing = subject.node.state.kernel_missing if subject.node else ()
    return " ".join(commands.word(name, "MODULE") for name in missing[:6]) or "ip_tables ip_set xt_set nf_conntrack"


def _lacks_summary(evidence: Evidence, subject: Subject) -> str:
    missing = subject.node.state.kernel_missing if subject.node else ()
    if missing:
        return f"The kernel of {subject.nodes[0]} lacks {words.listed(missing)}, which Calico needs there."
    line = (host_words.told(subject, "kernel_lacks", "kernel_module") or [Seen("", "")])[0]
    return f"The kernel of {subject.nodes[0]} lacks a part that Calico needs: {line.detail.rstrip('.')}."


def _load(evidence: Evidence, subject: Subject) -> Remedy | None:
    """The modules that programs miss, where the kernel has them to be loaded; None where it lacks one for good."""
    node = subject.node
    if node is None or node.state.kernel_missing or node.lacks("host_kernel"):
        return None
    lines = [line.text for line in node.control.lines("kernel_lacks", "kernel_module")]
    names = [name for name in NEEDS if any(re.search(rf"\b{name}\b", line) for line in lines)]
    return host_words.remedy(evidence, subject, "kernel_modules", host_network_modules=names) if names else None


KERNEL_MODULE_MISSING = Fault(
    id="kernel_module_missing",
    family="host_felix",
    title="The kernel lacks a part that Calico needs",
    severity="major",
    role="cause",
    means=(
        "Felix filters with iptables, ipset and connection tracking and makes tunnels with ipip, vxlan or "
        "wireguard; each is a part of the kernel, built in or a module. Without one Felix cannot program the node: "
        "it tries again and again, is not Ready, and pods have no network or no policy. Slim cloud kernels, "
        "containers without /lib/modules and hosts that were updated and not rebooted (the running kernel's modules "
        "are deleted) are the usual reasons."
    ),
    subjects=kernels_that_lack,
    signals=(
        Signal(program_meets_no_such_part, STRONG + MODERATE, required=True),
        Signal(nothing_to_load_modules_from, MODERATE, required=True),
        # What is not on any list may be there under a name that nobody thought of.
        Signal(lists_lack_it, WEAK, required=True),
        Signal(host_words.felix_is_not_well, MODERATE),
        Signal(tunnel_cannot_be_made, WEAK),
        Signal(host_words.felix_is_well, -STRONG),
    ),
    summary=_lacks_summary,
    fix=Fix(
        action="load_kernel_modules",
        text=(
            "Load the modules and have them loaded at every boot (/etc/modules-load.d); where the running kernel "
            "has no such modules install the package with its extra modules (linux-modules-extra, "
            "kernel-modules-extra) or boot the kernel whose modules are installed. calico-node must see the host's "
            "/lib/modules."
        ),
        risk="low",
        disrupts="nothing; a reboot disrupts the node",
        commands=lambda evidence, subject: [
            commands.on_node(subject.nodes[0], f"sudo modprobe -a {_modules(subject)}"),
            commands.on_node(subject.nodes[0], "uname -r; ls /lib/modules"),
            "calicoctl node checksystem   # on the node: lists every module that Calico needs",
        ],
        remedy=_load,
    ),
    verify="The modules are loaded (lsmod), Felix is ready, and its log no longer speaks of them.",
    lookalikes=(
        Lookalike(
            "ipset_version_mismatch", "ipset names a set type with a revision: the part is there, in a newer form"
        ),
        Lookalike("iptables_backend_mismatch", "both iptables work, and rules stand in both"),
        Lookalike("tunnel_device_missing", "the kernel can make such a device, and it is not there"),
    ),
    explains=("felix_crash_loop", "tunnel_device_missing", "undetermined"),
)

# --- ipset ----------------------------------------------------------------------------------------------------------


def incompatible_sets(evidence: Evidence) -> Iterator[Subject]:
    """Nodes where ipset does not understand what the kernel has."""
    yield from host_words.each(evidence, lambda node: node.control.lines("ipset_incompatible"))


def ipset_does_not_understand(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The tool ipset says that the kernel has a set, or speaks a protocol, of a newer form than it knows."""
    return host_words.told(subject, "ipset_incompatible")


IPSET_VERSION_MISMATCH = Fault(
    id="ipset_version_mismatch",
    family="host_felix",
    title="calico-node's ipset is older than the sets in the kernel",
    severity="major",
    role="cause",
    means=(
        "A newer ipset on the host (kube-proxy in IPVS mode, firewalld, fail2ban …) or a newer kernel made sets in "
        "a form (a revision of the set's type) that the ipset in calico-node's image cannot read. Felix lists all "
        "sets before it changes any, so one such set is enough: it never becomes ready and new pods get no policy."
    ),
    subjects=incompatible_sets,
    signals=(
        Signal(ipset_does_not_understand, DECISIVE, required=True),
        Signal(host_words.felix_is_not_well, WEAK),
        Signal(host_words.felix_is_well, -STRONG),
    ),
    summary=lambda evidence, subject: (
        f"The ipset of calico-node on {subject.nodes[0]} does not understand the sets in the kernel; Felix cannot "
        "program the node."
    ),
    fix=Fix(
        action="upgrade_calico",
        text=(
            "Upgrade Calico to a release with a newer ipset (from 3.27 on Felix lists only its own sets, one by "
            "one). Until then destroy or avoid the other program's sets (kube-proxy in iptables mode, and a reboot) "
            "or boot the older kernel; Felix' own sets in the newer form go with a reboot."
        ),
        risk="medium",
        disrupts="a rolling restart of calico-node; a reboot disrupts the node",
        commands=lambda evidence, subject: [
            agent_pod.run(evidence, subject.nodes[0], "ipset version"),
            commands.on_node(
                subject.nodes[0], "sudo ipset version; sudo ipset list -terse | grep -E '^(Name|Type|Revision)'"
            ),
        ],
    ),
    verify="In calico-node `ipset list` ends without an error, and Felix is ready.",
    lookalikes=(
        Lookalike("kernel_module_missing", "the kernel does not have the set's type at all (set type not supported)"),
    ),
    explains=("felix_crash_loop", "undetermined"),
)

# --- backends of iptables -------------------------------------------------------------------------------------------


def spread_rules(evidence: Evidence) -> Iterator[Subject]:
    """Nodes with rules in both backends of iptables, or where calico-node and the host use different ones."""
    for node in evidence.nodes.values():
        found = {name: one.owners for name, one in node.state.backends.items() if one.rules}
        two = len(found) > 1 and any(CALICO in owners for owners in found.values())
        if two or _apart(node.state) or node.control.lines("iptables_backend"):
            where: dict[str, object] = {"node": node.name}
            where.update((f"rules in {SHOWN_BACKENDS[name]}", words.listed(owners)) for name, owners in found.items())
            yield Subject((node.name,), evidence.down_at(node.name), where, node, found)


def _apart(state: HostState) -> bool:
    """The host's iptables and that of calico-node write to different backends."""
    written = {backend for _release, backend in state.versions.values() if backend}
    return len(state.versions) > 1 and len(written) > 1


def calico_and_proxy_are_apart(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico's rules are in one backend and kube-proxy's in the other one."""
    found = subject.about
    calico = [name for name, owners in found.items() if CALICO in owners]
    proxy = [name for name, owners in found.items() if PROXY in owners]
    if len(calico) != 1 or not proxy or calico == proxy:
        return []
    shown = f"Calico: {SHOWN_BACKENDS[calico[0]]}; kube-proxy: {words.listed(SHOWN_BACKENDS[name] for name in proxy)}"
    return [Seen(subject.nodes[0], "iptables", shown)]


def calico_is_in_both(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico's rules are in both backends: those that Felix left in one of them still work and never change."""
    found = [SHOWN_BACKENDS[name] for name, owners in subject.about.items() if CALICO in owners]
    return [Seen(subject.nodes[0], "iptables", words.listed(found))] if len(found) > 1 else []


def others_filter_in_the_other_one(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The backend in which Calico has no rules has rules of others."""
    found = subject.about
    strangers = [
        f"{SHOWN_BACKENDS[name]}: {words.listed(owners)}" for name, owners in found.items() if CALICO not in owners
    ]
    return [Seen(subject.nodes[0], "iptables", "; ".join(strangers))] if len(found) > 1 and strangers else []


def image_knows_only_the_old_one(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The host's iptables writes to nftables, and calico-node's is so old that it knows only the legacy backend."""
    versions = subject.node.state.versions if subject.node else {}
    inside, host = versions.get("calico-node", ("", "")), versions.get("host", ("", ""))
    parts = tuple(int(part) for part in inside[0].split(".")[:2] if part.isdecimal())
    if host[1] != "nf_tables" or not parts or parts >= BOTH_FORMS:
        return []
    return [Seen(subject.nodes[0], "iptables", f"host {host[0]} ({host[1]}), calico-node {inside[0]}")]


def versions_write_apart(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The iptables of the host and the one in calico-node are set to different backends."""
    versions = subject.node.state.versions if subject.node else {}
    if subject.node is None or not _apart(subject.node.state):
        return []
    shown = words.listed(f"{place} {release} ({backend})" for place, (release, backend) in versions.items())
    return [Seen(subject.nodes[0], "iptables", shown)]


def tool_meets_the_other_one(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Felix or iptables itself says that there are rules which it cannot read, or in the other backend than it uses."""
    return host_words.told(subject, "iptables_backend")


def a_table_cannot_be_read(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Somebody's nftables rules stand in a table that Felix programs by iptables, which cannot read them."""
    found = host_words.told(subject, "iptables_backend")
    return [one for one in found if any(words_ in one.detail for words_ in _UNREADABLE)]


def only_one_has_rules(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Only one of the backends has any rules."""
    node = subject.node
    if node is None or not node.state.backends or len(subject.about) != 1:
        return []
    return [Seen(node.name, "iptables", SHOWN_BACKENDS[next(iter(subject.about), "")])]


def _backend_commands(evidence: Evidence, subject: Subject) -> list[str]:
    """Look at both backends, and have Felix use the one of kube-proxy, or else of the host's iptables."""
    name = subject.nodes[0]
    counted = "sudo iptables-legacy-save | grep -c '^-A'; sudo iptables-nft-save | grep -c '^-A'"
    proxy = [SHOWN_BACKENDS[one] for one, owners in (subject.about or {}).items() if PROXY in owners]
    host = subject.node.state.versions.get("host", ("", ""))[1] if subject.node else ""
    by_host = {"nf_tables": "nft", "legacy": "legacy"}.get(host, "")
    wanted = {"nft": "NFT", "legacy": "Legacy"}.get(proxy[0] if len(proxy) == 1 else by_host)
    look = [commands.on_node(name, counted), commands.on_node(name, "iptables --version")]
    value = wanted or "Auto"
    plain = [api.patch(evidence, "FelixConfiguration", "default", {"iptablesBackend": value})]
    drain = f"kubectl drain {commands.kube_name(evidence, name)} --ignore-daemonsets --delete-emptydir-data"
    return [
        *look,
        *api.at_owner(evidence, "felix/iptablesBackend", plain, value=value),
        f"{drain}   # then reboot it and uncordon it: that clears the other backend's rules",
    ]


IPTABLES_BACKEND_MISMATCH = Fault(
    id="iptables_backend_mismatch",
    family="host_felix",
    title="Rules are spread over both backends of iptables",
    severity="major",
    role="cause",
    means=(
        "The tool iptables has two backends (legacy and nft) with tables of their own, and the kernel runs packets "
        "through both. If Calico writes to one and kube-proxy or the host to the other, neither sees the other's "
        "rules: what one accepts the other still drops, marks and NAT do not fit together, and rules left behind in "
        "one never change again."
    ),
    subjects=spread_rules,
    signals=(
        Signal(calico_and_proxy_are_apart, STRONG + MODERATE, required=True),
        Signal(calico_is_in_both, STRONG, required=True),
        Signal(image_knows_only_the_old_one, MODERATE + WEAK, required=True),
        Signal(tool_meets_the_other_one, MODERATE, required=True),
        Signal(a_table_cannot_be_read, STRONG),
        Signal(versions_write_apart, WEAK, required=True),
        Signal(others_filter_in_the_other_one, WEAK, required=True),
        Signal(only_one_has_rules, -STRONG),
    ),
    summary=lambda evidence, subject: (
        f"On {subject.nodes[0]} rules of iptables are spread over the legacy and the nft backend"
        + (
            " ("
            + "; ".join(f"{SHOWN_BACKENDS[name]}: {words.listed(owners)}" for name, owners in subject.about.items())
            + ")."
            if subject.about
            else "."
        )
    ),
    fix=Fix(
        action="align_iptables_backend",
        text=(
            "Have all programs use one backend: the one of the host and of kube-proxy. Leave FelixConfiguration's "
            "iptablesBackend at Auto or set it to that one (Legacy or NFT), upgrade an image that knows only the "
            "legacy one, and clear the other backend, best by a reboot: its rules go on working."
        ),
        risk="medium",
        disrupts="a restart of calico-node; a reboot disrupts the node",
        commands=_backend_commands,
    ),
    verify="Only one backend has rules, with Calico's and kube-proxy's among them.",
    lookalikes=(
        Lookalike("leftover_iptables_rules", "the rules in the way belong to a program that is no longer there"),
        Lookalike(
            "tcp179_blocked_host_firewall", "one rule in one backend decides, and Calico's are where all others are"
        ),
        Lookalike("kernel_module_missing", "the tool's kernel part is absent, not merely unused"),
    ),
    explains=("felix_crash_loop",),
    prior=-1.0,
)

# --- Felix ends ------------------------------------------------------------------------------------------------------


def ending_felixes(evidence: Evidence) -> Iterator[Subject]:
    """Nodes with a log in which Felix says why it ends."""
    yield from host_words.each(evidence, _last_words)


def _last_words(node: Node) -> list[Seen]:
    lines = [
        line
        for line in node.control.lines("fatal", "crash", *PROGRAMMING)
        if host_words.is_felix(line) and (line.kind in ("fatal", "crash") or any(word in line.text for word in GAVE_UP))
    ]
    # What it says at level FATAL tells more than the stack that follows.
    lines.sort(key=lambda line: line.kind == "crash")
    return [gate_signals.seen_line(node, line) for line in lines[: host_words.LINES_SHOWN]]


def felix_says_why(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Felix gives up, and its log says at what."""
    return _last_words(subject.node) if subject.node else []


def it_happens_again(evidence: Evidence, subject: Subject) -> list[Seen]:
    """It happened more than once."""
    node = subject.node
    lines = node.control.lines("fatal", "crash") if node else []
    often = max((line.count for line in lines), default=0)
    return [Seen(subject.nodes[0], "log of felix", f"{often} times")] if often > 1 else []


def container_restarts(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Kubernetes restarts calico-node's container again and again."""
    return [
        Seen(checked.name, wrong.source, wrong.says)
        for checked in gate(evidence).nodes.values()
        if checked.name in subject.nodes and (wrong := checked.at(gate_model.CRASHING)) is not None
    ]


def _crash_summary(evidence: Evidence, subject: Subject) -> str:
    said = felix_says_why(evidence, subject)
    why = f": {said[0].detail.rstrip('.')}" if said else ""
    return f"Felix on {subject.nodes[0]} ends itself{why}."


FELIX_CRASH_LOOP = Fault(
    id="felix_crash_loop",
    family="host_felix",
    title="Felix ends and is started again",
    severity="major",
    role="cause",
    means=(
        "Felix meets something that it cannot go on with, says so at level FATAL or PANIC and ends; runit starts it "
        "anew until the container is restarted, too. What it programmed stays, so running pods keep their network, "
        "but nothing changes any more and the node is not Ready. BIRD in the same container goes on until the "
        "container ends."
    ),
    subjects=ending_felixes,
    signals=(
        Signal(felix_says_why, STRONG, required=True),
        Signal(it_happens_again, MODERATE),
        Signal(container_restarts, MODERATE),
        Signal(host_words.felix_is_not_well, WEAK),
        Signal(host_words.felix_is_well, -STRONG),
    ),
    summary=_crash_summary,
    fix=Fix(
        action="read_felix_log",
        text=(
            "Act on what the last line before the end says: a setting that Felix refuses, something of the host "
            "that it cannot program, memory. A panic in Felix itself is a bug: look for it in the release notes, "
            "upgrade, report it."
        ),
        risk="low",
        disrupts="nothing",
        commands=lambda evidence, subject: [
            agent_pod.logs(evidence, subject.nodes[0], "--previous | grep -E 'FATAL|PANIC|panic:' | tail"),
        ],
    ),
    verify="Felix runs for longer than ten minutes, is ready, and its log has no new line at level FATAL or PANIC.",
    prior=-0.8,
    lookalikes=(
        Lookalike("kernel_module_missing", "the log says which part of the kernel is missing"),
        Lookalike("ipset_version_mismatch", "the log has ipset's words on kernel and userspace"),
        Lookalike("rp_filter_loose", "the log speaks of the kernel's RPF check"),
        Lookalike("apiserver_unreachable", "what Felix cannot do is reach the API server"),
    ),
    explains=("undetermined",),
    missing=lambda evidence, subject: [
        Missing(
            subject.nodes[0],
            "calico-node's previous log",
            agent_pod.logs(evidence, subject.nodes[0], "--previous"),
            "what Felix wrote before it ended, every time",
        )
    ],
)

FAULTS = (KERNEL_MODULE_MISSING, IPSET_VERSION_MISMATCH, IPTABLES_BACKEND_MISMATCH)
LAST = (FELIX_CRASH_LOOP,)

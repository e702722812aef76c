# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose a rule is. Programs that keep rules name their chains, tables or comments in a way of their own.

A fix must go through the owner, or the owner undoes it at its next change. "unknown" means: none of those known here,
so in all likelihood somebody's own rule.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

UNKNOWN = "unknown"

# Beginnings of chain names. firewalld's (iptables backend) are called after its zones: IN_public_allow, FWDI_trusted.
_CHAINS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ufw", ("ufw-", "ufw6-")),
    # Before kube-proxy's, whose chains begin alike (kube-router: pkg/controllers/netpol).
    ("kube-router", ("KUBE-ROUTER-", "KUBE-POD-FW-", "KUBE-NWPLCY-")),
    ("kube-proxy", ("KUBE-",)),
    ("calico", ("cali-", "filter-cali-", "raw-cali-", "mangle-cali-", "nat-cali-")),
    ("docker", ("DOCKER",)),
    (
        "firewalld",
        (
            *("IN_", "FWDI_", "FWDO_", "PRE_", "POST_", "INPUT_direct", "INPUT_ZONES", "INPUT_POLICIES"),
            *("FORWARD_direct", "FORWARD_IN_", "FORWARD_OUT_", "FORWARD_POLICIES", "OUTPUT_direct", "OUTPUT_POLICIES"),
            *("PREROUTING_direct", "PREROUTING_ZONES", "PREROUTING_POLICIES"),
            *("POSTROUTING_direct", "POSTROUTING_ZONES", "POSTROUTING_POLICIES"),
        ),
    ),
    ("flannel", ("FLANNEL-",)),
    ("libvirt", ("LIBVIRT_",)),
    ("fail2ban", ("f2b-", "fail2ban-")),
    ("cilium", ("CILIUM_", "OLD_CILIUM_")),
    ("cni", ("CNI-",)),
    ("netavark", ("NETAVARK",)),
    ("tailscale", ("ts-input", "ts-forward", "ts-postrouting")),
    ("weave", ("WEAVE",)),
    ("openshift", ("OPENSHIFT-",)),
    ("nixos", ("nixos-fw",)),
    ("csf", ("LOCALINPUT", "LOCALOUTPUT", "ALLOWIN", "ALLOWOUT", "DENYIN", "DENYOUT", "LOGDROPIN", "LOGDROPOUT")),
)
# Names of native nftables tables, of whatever family.
_TABLES = {
    "firewalld": "firewalld",
    "firewalld_policy_drop": "firewalld",
    "kube-proxy": "kube-proxy",
    "calico": "calico",
    "docker-bridges": "docker",
    "f2b-table": "fail2ban",
    "netavark": "netavark",
    "libvirt_network": "libvirt",
    "cni_hostport": "cni",
}
_COMMENTS: tuple[tuple[str, str], ...] = (
    ("calico", "cali:"),
    ("kube-proxy", "kubernetes "),
    ("kube-proxy", "kube-proxy"),
    ("cilium", "cilium"),
    ("flannel", "flanneld"),
    ("cni", "CNI "),
    ("lxd", "generated for LXD"),
    ("lxd", "generated for Incus"),
)
# Beginnings of eBPF programs' names, of which the kernel keeps 15 letters ("cali_tc_preambl"), or of the section in a
# file ("from_hep_no_log.o:[calico_from_host_ep]").
_PROGRAMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("calico", ("cali_", "calico_", "xdp_calico")),
    ("cilium", ("cil_", "cilium", "bpf_host", "bpf_netdev", "bpf_lxc", "bpf_overlay", "bpf_xdp")),
)
# Owners who put rules of their own, or a policy, right into the kernel's own chains: known by the chains they have
# beside.
_BESIDE = {
    "ufw-user-input": "ufw",
    "ufw6-user-input": "ufw",
    "INPUT_ZONES": "firewalld",
    "INPUT_POLICIES_pre": "firewalld",
}
_OF_NO_ZONE = frozenset(
    ("FORWARD_IN_ZONES", "FORWARD_OUT_ZONES", "filter_FORWARD_IN_ZONES", "filter_FORWARD_OUT_ZONES")
)
_BASE_CHAINS = frozenset(("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"))


def of_chain(name: str) -> str:
    """Return the owner of the chain `name`; "unknown" for the kernel's own chains and for names of nobody's."""
    for owner, beginnings in _CHAINS:
        if name.startswith(beginnings):
            return owner
    return UNKNOWN


def of_table(name: str) -> str:
    """Return the owner of the native nftables table `name` ("inet firewalld"); "unknown" for iptables' tables."""
    return _TABLES.get(name.partition(" ")[2], UNKNOWN)


def of_rule(table: str, chain: str, text: str, path: Iterable[str], chains: Iterable[str]) -> str:
    """Return the owner of a rule, or (with text "") of a chain's policy.

    `path` names the chains by which packets come to it, `chains` all chains of its table.
    """
    found = of_table(table)
    if found == UNKNOWN:
        found = of_chain(chain)
    if found == UNKNOWN:
        found = _of_comment(text)
    if found == UNKNOWN and chain not in _BASE_CHAINS:
        # A chain of no owner's name that is reached by an owner's chain holds what that owner was told to do.
        owners = [of_chain(name) for name in path]
        found = next((owner for owner in reversed(owners) if owner != UNKNOWN), UNKNOWN)
    if found == UNKNOWN and chain in _BASE_CHAINS and (not text or _is_closing(text)):
        beside = list(chains)
        found = next((_BESIDE[name] for name in beside if name in _BESIDE), UNKNOWN)
        # Docker makes DROP the policy of FORWARD where it switches on forwarding itself.
        if found == UNKNOWN and chain == "FORWARD" and not text and "DOCKER-USER" in beside:
            found = "docker"
    return found


def of_program(name: str) -> str:
    """Return whose an eBPF program is, by its name or that of the file and section which it was loaded from."""
    for owner, beginnings in _PROGRAMS:
        if name.startswith(beginnings) or any(f"[{beginning}" in name for beginning in beginnings):
            return owner
    return UNKNOWN


def part_of(owner: str, chains: Iterable[str]) -> str:
    """Return which part of its owner's configuration a rule is of: "zone public", "policy nodes", "user.rules".

    `chains` are those by which packets come to the rule, its own last. "" if the chains do not tell.
    """
    import re

    for name in reversed(list(chains)):
        if owner == "firewalld":
            found = re.match(
                r"(?:\w+_)?(?:IN|OUT|FWDI|FWDO|FWD|PRE|POST)_(policy_)?(.+?)(?:_(?:pre|log|deny|allow|post))?\Z", name
            )
            if found and name not in _OF_NO_ZONE:
                return f"{'policy' if found.group(1) else 'zone'} {found.group(2)}"
        elif owner == "ufw":
            found = re.match(r"ufw6?-(before|after|user)-", name)
            if found:
                return f"{found.group(1)}{'6' if name.startswith('ufw6') else ''}.rules"
    return ""


def _of_comment(text: str) -> str:
    _rule, found, comment = text.partition(" --comment ")
    if not found:
        _rule, found, comment = text.partition(' comment "')
    comment = comment.lstrip('"')
    for owner, beginning in _COMMENTS if found else ():
        if comment.startswith(beginning):
            return owner
    return UNKNOWN


def _is_closing(text: str) -> bool:
    """Say whether this is one of the two rules with which firewalld itself ends INPUT; others there are not its own."""
    return text.endswith(
        (
            "--ctstate INVALID -j DROP",
            "-j REJECT --reject-with icmp-host-prohibited",
            "-j REJECT --reject-with icmp6-adm-prohibited",
        )
    )


def seen(tables: Iterable[tuple[str, Iterable[str]]]) -> list[str]:
    """Return the owners of the given (table, its chains), in alphabetical order."""
    found = set()
    for table, chains in tables:
        found.add(of_table(table))
        found.update(map(of_chain, chains))
    return sorted(found - {UNKNOWN})

# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One model for every packet filter of a Linux host: what its front ends produce and the evaluator walks.

The front ends (`iptables_save`, `nftables`) translate their own languages into these records and nothing else, so a
rule of iptables-legacy, one of iptables-nft and one of native nftables are judged by the same code.

A match is a triple (kind, negated, value). The kinds and their values:

    source, destination            intervals of address numbers, ((low, high), …)
    source_bits, destination_bits  (value, mask): a mask which is no prefix
    in_interface, out_interface    names; one that ends in "*" stands for every name that begins so
    protocol                       IP protocol numbers
    family                         "ipv4" or "ipv6"
    source_port, destination_port, any_port      intervals, ((low, high), …)
    tcp_flags                      (mask, (value, …)): the flags under the mask equal one of the values
    source_type, destination_type  address types: LOCAL, UNICAST, …; with "_here" as seen from the packet's interface
    alone ct_state, ct_status, ct_direction            words of conntrack, upper case ct_protocol, ct_source,
    ct_destination, ct_source_port, ct_destination_port
                                   the same of the connection's first packet, as conntrack remembers it
    mark, ct_mark                  (mask, intervals) of the packet's and the connection's mark
    packet_type                    HOST, BROADCAST, MULTICAST, OTHERHOST
    bridge_port                    words about the bridge's port by which the packet came
    reverse_path                   None: the kernel would send the answer out of the interface the packet came in by
    set                            (name, ("src", "dst", …)): a set of ipset, looked up when it is first needed
    any_of                         ((match, …), …): at least one of the groups holds altogether
    changing_set                   (name, ((match, …), …)): as any_of, of a set of nftables that rules change
    ipsec                          None: the packet comes out of, or goes into, an IPsec tunnel or transport
    in_type                        numbers of the kinds of links (ARPHRD_…) that the packet comes in by
    uid                            intervals of the user whose program sends the packet
    ct_family                      as family, of the connection
    always                         None
    undecidable                    the words of a match which a single packet on paper does not decide
"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

LEGACY = "iptables-legacy"
NFT = "iptables-nft"
NATIVE = "nftables"
EBPF = "ebpf"
# How the comments of rules begin that roles of this collection make.
OF_THIS_COLLECTION = "netmedic.calico "

# What a rule does with a packet that it matches.
CONTINUE = "continue"
ACCEPT = "accept"
DROP = "drop"
REJECT = "reject"
RETURN = "return"
JUMP = "jump"
GOTO = "goto"
UNKNOWN = "unknown"  # hands the packet to something that cannot be looked into; the argument says to what
# Ends the nat chains of its hook; the packet goes on with another source address: the argument says which, "" is an
# address of the interface that it leaves by, "?" one that is not told.
REWRITE_SOURCE = "rewrite source"

# The hooks that a packet meets on its way, and the order of their chains, which is that of the kernel's hook
# priorities.
INBOUND = ("ingress", "prerouting", "input")
FORWARDED = ("ingress", "prerouting", "forward", "postrouting", "egress")
OUTBOUND = ("output", "postrouting", "egress")
HOOKS = ("ingress", "prerouting", "input", "forward", "output", "postrouting", "egress")
RAW, CONNTRACK, MANGLE, DSTNAT, FILTER, SECURITY, SRCNAT = -300, -200, -150, -100, 0, 50, 100


class Match(NamedTuple):
    """One condition of a rule; see the module's own text for the kinds."""

    kind: str
    negated: bool
    value: Any


class Effect(NamedTuple):
    """A change that a rule makes to the packet or its connection before its verdict.

    `kind` and `value`: mark and ct_mark (keep, flip): new = (old & keep) ^ flip; save_mark and restore_mark
    (bits of the connection's mark, bits of the packet's mark); untrack None; forget_mark None: the mark is anyone's
    guess; mark_among and ct_mark_among (known bits, unknown bits): it is one of several; set_grows and set_shrinks the
    name of a set into which, or out of which, the rule may put something.
    """

    kind: str
    value: Any


class Rule(NamedTuple):
    """One rule. `number` counts from 1 within its chain; `packets` is its counter, -1 if it has none.

    `argument` belongs to the verdict: the chain (jump, goto), what is sent back (reject), the reason (unknown).
    """

    number: int
    matches: Sequence[Match]
    effects: Sequence[Effect]
    verdict: str
    argument: str
    text: str
    packets: int = -1


class Chain:
    """A chain of rules. `policy` is ACCEPT, DROP or "" for a chain that is only jumped to.

    `rules(screen)` gives the rules in order. They are read from their source only then, because most chains of a large
    ruleset are never reached; `screen`, if given, says of a rule's text whether it can matter at all.
    `doubt` says why rules may be missing at the end of the chain; "" if all of them are known.
    """

    __slots__ = ("_source", "doubt", "name", "packets", "policy")

    def __init__(
        self,
        name: str,
        policy: str,
        source: Callable[[Screen | None], Sequence[Rule]],
        packets: int = -1,
        doubt: str = "",
    ) -> None:
        self.name = name
        self.policy = policy
        self.packets = packets
        self.doubt = doubt
        self._source = source

    def rules(self, screen: Screen | None = None) -> Sequence[Rule]:
        """Return the chain's rules, at least those which `screen` lets through."""
        return self._source(screen)


class Table(NamedTuple):
    """The chains of one table. `family` is ipv4 or ipv6, or for a native table also inet and netdev."""

    backend: str
    family: str
    name: str
    chains: Mapping[str, Chain]


class BaseChain(NamedTuple):
    """A chain that the kernel itself enters: at `hook`, by ascending `priority`. `kind` is filter, nat or route."""

    hook: str
    priority: int
    kind: str
    table: Table
    chain: Chain
    device: str = ""  # names, with blanks between, of a chain that belongs to devices; "?" if it is not known which


class Place(NamedTuple):
    """Where something was decided: a rule of a chain, or (number 0) its policy, and the jumps that led there."""

    base: BaseChain
    chain: Chain
    rule: Rule | None
    path: tuple[tuple[str, int], ...]


class Packet(NamedTuple):
    """One packet as the filters see it. Addresses are numbers; None means unknown, which makes matches on it
    undecidable.

    Ports may be an interval (low, high) of which the packet has one. `in_interface` and `out_interface` are "" where
    the hook has none. `direction` is that of conntrack: ORIGINAL, or REPLY for an answer. Of this host's own
    addresses `…_type_here` says LOCAL if the address belongs to the interface that the packet passes, else UNICAST.
    `state` is conntrack's: NEW, ESTABLISHED, RELATED, INVALID or UNTRACKED. `bridged` is False for a packet that surely
    comes through no port of a bridge, `ipsec` for one that surely has to do with no IPsec. `in_type` is the kind of the
    link it comes in by (ARPHRD_…), `uid` the user whose program sends it.
    """

    family: str
    in_interface: str | None
    out_interface: str | None
    source: int | None
    destination: int | None
    protocol: int = 6
    source_port: int | tuple[int, int] | None = None
    destination_port: int | tuple[int, int] | None = 179
    state: str = "NEW"
    direction: str = "ORIGINAL"
    tcp_flags: int = 0x02
    source_type: str = "UNICAST"
    destination_type: str = "LOCAL"
    source_type_here: str | None = None
    destination_type_here: str | None = None
    packet_type: str = "HOST"
    mark: int = 0
    ct_mark: int = 0
    bridged: bool | None = False
    ipsec: bool | None = None
    in_type: int | None = None
    uid: int | None = None


class Screen(NamedTuple):
    """What throws out rules by their text alone, because they hold for no packet of a batch.

    `ports` holds the destination ports of each protocol that occurs, as intervals (None: any port); it is None itself
    if a protocol is unknown. `can_be` says whether a plain "address/length" of `field` holds for any packet.
    """

    ports: Mapping[int, Sequence[tuple[int, int]] | None] | None
    can_be: Callable[[str, str], bool]


def address_number(text: str) -> tuple[str, int] | None:
    """Return ("ipv4"|"ipv6", number) of a plain address, or None if it is none."""
    import socket

    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    try:
        raw = socket.inet_pton(family, text)
    except (OSError, ValueError):
        return None
    return ("ipv6" if family == socket.AF_INET6 else "ipv4"), int.from_bytes(raw, "big")


def prefix_interval(number: int, length: int, family: str) -> tuple[int, int]:
    """Return the lowest and highest address of a prefix."""
    rest = (1 << ((32 if family == "ipv4" else 128) - length)) - 1
    return number & ~rest, number | rest

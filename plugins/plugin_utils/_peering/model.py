# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of expected peering: who speaks BGP, what stands in each bird.cfg, and what is wrong with the plan.

Families are 'ipv4' and 'ipv6'. Nodes are named as Calico names them, which need not be the inventory's name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._cluster.model import SecretRef

FAMILIES = ("ipv4", "ipv6")
BGP_PORT = 179
MESH, GLOBAL, NODE = "Mesh", "Global", "Node"


def identifier(address: str, port: int = 0) -> str:
    """How confd writes an address, and a port that is given, in the name of a protocol."""
    written = address.replace(".", "_").replace(":", "_")
    return f"{written}_port_{port}" if port else written


class Password(NamedTuple):
    """A reference to a password, never the password. readable: by calico-node; None: not known.

    confd leaves out a password that it cannot read, and the session goes unsigned from that end.
    """

    secret: SecretRef
    readable: bool | None = None

    @property
    def rendered(self) -> bool | None:
        """Whether it stands in bird.cfg; None: not known."""
        return self.readable


@dataclass(frozen=True)
class Speaker:
    """A node as a BGP speaker. addresses: by family, without prefix length; only families that it has.

    own_as: the number is the node's own, not the cluster's. listen_port: where it listens. told_port: where the others
    dial; only Windows, which listens on 179 whatever is configured, makes a difference between them.
    """

    name: str
    addresses: Mapping[str, str] = field(default_factory=dict)
    as_number: int = 64512
    own_as: bool = False
    cluster_id: str = ""
    listen_port: int = BGP_PORT
    told_port: int = BGP_PORT
    windows: bool = False


class Peer(NamedTuple):
    """What confd makes of one BGPPeer and one address, for all nodes that get it. port 0: none is given.

    as_number: the peer's, 0 if the BGPPeer gives none. local_as 0: the node's own. reverse: made for the other side of
    a BGPPeer. cluster_id: the peer's as confd knows it, which it does only of peers that a selector found.
    """

    bgp_peer: str
    family: str
    address: str
    port: int = 0
    as_number: int = 0
    local_as: int = 0
    cluster_id: str = ""
    calico_node: bool = False
    from_node_address: bool = True
    password: Password | None = None
    ttl_security: int = 0
    keepalive: str = ""
    restart_time: str = ""
    reverse: bool = False
    identifier: str = ""

    @property
    def key(self) -> tuple[str, int]:
        """What makes two peers one for confd: the address, and the port if it is not BGP's own."""
        return (self.address, 0 if self.port == BGP_PORT else self.port)


class Stanza(NamedTuple):
    """One BGP protocol in one node's bird.cfg (bird6.cfg).

    kind: Mesh, Global or Node. peer and port: whom it dials (and takes as neighbour). passive: it waits. source: the
    address it binds to, '' if the kernel chooses. ttl_security 0: off. bgp_peer: the BGPPeer it comes from, '' for the
    mesh. multihop: the peer need not be in a connected subnet.
    """

    node: str
    family: str
    name: str
    kind: str
    peer: str
    port: int
    local_address: str
    local_as: int
    peer_as: int
    passive: bool
    rr_client: bool = False
    cluster_id: str = ""
    password: Password | None = None
    source: str = ""
    ttl_security: int = 0
    keepalive: str = ""
    restart_time: str = ""
    multihop: bool = True
    bgp_peer: str = ""
    reverse: bool = False

    @property
    def internal(self) -> bool:
        """iBGP as this end sees it."""
        return self.local_as == self.peer_as

    def listen_of(self, other: Speaker | None) -> int:
        """The port that the other end listens on, so far as it is known; else the one that is dialled."""
        return other.listen_port if other else self.port


class End(NamedTuple):
    """One end of a session. node '': a machine outside the cluster.

    stanzas: BIRD runs the first one; further ones for the same address and port wait for its lock. None at all: this
    end is not configured.
    """

    node: str
    address: str
    stanzas: tuple[Stanza, ...] = ()

    @property
    def label(self) -> str:
        """The node's name, or the address of what is none."""
        return self.node or self.address

    @property
    def stanza(self) -> Stanza | None:
        """What BIRD runs here for the session."""
        return self.stanzas[0] if self.stanzas else None

    @property
    def dials(self) -> bool:
        """This end opens connections."""
        return bool(self.stanzas) and not self.stanzas[0].passive


class Session(NamedTuple):
    """A session that at least one end is configured for. near is always configured; far may not be, or be external."""

    family: str
    near: End
    far: End

    @property
    def ends(self) -> tuple[End, End]:
        """Both ends."""
        return (self.near, self.far)

    @property
    def external(self) -> bool:
        """The far end is no node of this cluster, so that nothing is known of its configuration."""
        return not self.far.node

    @property
    def one_sided(self) -> bool:
        """Both ends are nodes, and one is not configured for the session."""
        return bool(self.far.node) and not self.far.stanzas

    @property
    def diallers(self) -> tuple[End, ...]:
        """The ends that open connections: none, one or both."""
        return tuple(end for end in self.ends if end.dials)

    @property
    def internal(self) -> bool:
        """iBGP, as the near end sees it."""
        return self.near.stanza is not None and self.near.stanza.internal

    @property
    def labels(self) -> tuple[str, str]:
        """Both ends as a person names them."""
        return (self.near.label, self.far.label)


@dataclass(frozen=True)
class MeshGroup:
    """The full mesh of one family: every speaker peers with every other one that has another address.

    Kept as a set, because a mesh of 1,000 nodes has half a million sessions; Expected.sessions() walks through them.
    """

    family: str
    speakers: tuple[Speaker, ...] = ()
    password: Password | None = None
    restart_time: str = ""

    @property
    def size(self) -> int:
        """How many sessions it has, if no two speakers share an address."""
        return len(self.speakers) * (len(self.speakers) - 1) // 2


@dataclass(frozen=True)
class Problem:
    """Something that is wrong with the plan itself, whatever the nodes say. See problems.KINDS for the kinds.

    object: "BGPPeer rack-1", "BGPConfiguration default", "node n1" … nodes: those concerned, sorted. detail: one
    sentence. field: the object's, where the kind does not tell it already.
    """

    kind: str
    object: str
    nodes: tuple[str, ...]
    detail: str
    family: str = ""
    field: str = ""

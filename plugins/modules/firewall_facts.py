#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about what a Calico node's firewall does with BGP."""

from __future__ import annotations

DOCUMENTATION = r"""
module: firewall_facts
short_description: Gather facts about what the firewall of a Calico node does with BGP
version_added: 1.0.0
author: netmedic.calico contributors (@netmedic)
description:
  - Evaluates the packet filters of the node, rule by rule as the kernel does, for a new TCP connection to the BGP port
    from every peer and to every peer, for IPv4 and IPv6. The same for the other packets between nodes, those of IPIP,
    VXLAN, WireGuard and Typha.
  - Names the NAT rules that would give packets between nodes another source address.
  - Reads iptables of both backends, legacy and nft, and native nftables, whoever the rules belong to (ufw, firewalld,
    kube-proxy, Calico, Docker, somebody's own), and the sets of ipset that rules refer to.
  - The rule which decides is named with its place. A match that a packet on paper does not decide, such as one on a
    rate, is never guessed. Where it matters, the verdict is V(unknown) and the match is named.
  - Reading changes nothing. No kernel module is loaded and no table made by it.
  - M(netmedic.calico.node_facts) gathers the same together with all other facts in one pass.
notes:
  - Run it as root. The kernel shows packet filters to nobody else. The facts then say so and hold no verdicts.
  - What eBPF programs do with packets is in no listing. Those on the interfaces concerned are named in
    RV(ansible_facts.calico_firewall.backends), and the verdicts of packets that pass somebody's program are V(unknown)
    unless a rule stops them anyway. Programs at other places, such as control groups, are not seen.
extends_documentation_fragment:
  - netmedic.calico.harmless
  - netmedic.calico.facts
  - netmedic.calico.facts.bird
options:
  peers:
    description:
      - Addresses to evaluate besides the peers that BIRD runs or is configured with.
    type: list
    elements: str
    default: []
seealso:
  - module: netmedic.calico.node_facts
"""

EXAMPLES = r"""
- name: Gather facts about the firewall
  netmedic.calico.firewall_facts:
  become: true

- name: Show what blocks BGP
  ansible.builtin.debug:
    msg: "{{ item.rule.owner }}: {{ item.rule.path | join(' > ') }}: {{ item.rule.text }}"
  loop: "{{ ansible_facts.calico_firewall.tcp179.inbound | rejectattr('verdict', 'eq', 'accept') }}"

- name: Evaluate the filters for a node that is to become a peer
  netmedic.calico.firewall_facts:
    peers:
      - 10.200.0.17
  become: true
"""

RETURN = r"""
ansible_facts:
  description: The facts.
  returned: always
  type: complex
  contains:
    calico_firewall:
      description: Facts about packet filters. Keys whose value is unknown are left out.
      returned: always
      type: dict
      contains:
        schema:
          description: Version of this shape.
          type: int
          returned: always
          sample: 1
        taken_at:
          description: When the facts were taken, by the node's clock.
          type: str
          returned: always
          sample: "2026-11-21T00:00:00Z"
        sources:
          description: Everything that was tried, and how it went.
          type: list
          elements: dict
          returned: always
          contains:
            source:
              description: Name of the source, such as V(iptables_legacy), V(iptables_nft), V(nftables) and V(ipset).
              type: str
              returned: always
              sample: iptables_nft
            status:
              description: One of V(ok), V(absent), V(failed) and V(unrecognised).
              type: str
              returned: always
              sample: ok
            detail:
              description: One sentence for a person, empty if there is nothing to say.
              type: str
              returned: always
        backends:
          description:
            - The backends in use. I(iptables_legacy) and I(iptables_nft) hold the number of their I(rules).
            - If both have rules, I(owners) names the programs that have chains there, kubelet by the chains with which
              it hints at the backend in use.
            - I(nftables) holds the I(foreign_base_chains), those which nft and not iptables made and which have rules
              or drop by default, at most 20 of them. They are evaluated like the others.
            - I(ebpf) lists programs and other filters on the interfaces that lead to peers, to pods and into tunnels,
              with I(program) (its name, or the kind of a filter that is none), I(owner) (V(calico), V(cilium) or
              V(unknown)), I(hooks) (V(xdp), V(tc ingress), V(tc egress)) and at most 8 I(interfaces). It is left out if
              there are none.
            - A program of Calico's own at V(tc ingress) or V(tc egress) belongs to its eBPF mode. It lets pass what no
              policy for the host forbids, and is evaluated so. Whether there is such a policy is not seen. An XDP
              program of Calico's is there only with policies without connection tracking, which it decides.
          type: dict
          returned: if filters could be read
          sample: {"iptables_nft": {"rules": 34}, "nftables": {"foreign_base_chains": ["inet firewalld filter_INPUT"]}}
        owners:
          description: Programs whose chains were seen.
          type: list
          elements: str
          returned: if filters could be read
          sample: [calico, kube-proxy, ufw]
        tcp179:
          description: The verdicts. Peers with the same verdict and deciding rule share one entry.
          type: dict
          returned: if filters could be read
          contains:
            listen_ports:
              description: Where connections to this node go, by family. It is the port in BIRD's configuration.
              type: dict
              returned: if it is not port 179
              sample: {"ipv4": 1790}
            inbound:
              description: What becomes of a connection that a peer opens to this node. Other nodes with whom nobody
                speaks BGP, because Calico runs without BIRD here, are left out.
              type: list
              elements: dict
              returned: always
              contains:
                verdict:
                  description: One of V(accept), V(drop), V(reject) and V(unknown).
                  type: str
                  returned: always
                  sample: drop
                count:
                  description: Number of peers.
                  type: int
                  returned: always
                  sample: 3
                family:
                  description: V(ipv4) or V(ipv6).
                  type: str
                  returned: always
                  sample: ipv4
                peers:
                  description: The peers' addresses, grouped by all but their last part, with the last parts as values
                    and ranges.
                  type: dict
                  returned: unless all peers of the family are accepted
                  sample: {"10.200.0": "9-11,14"}
                rule:
                  description:
                    - The rule that decides, or for V(unknown) the one that cannot be decided.
                    - For V(accept) it is left out where several rules, or only policies, are concerned.
                  type: dict
                  returned: if there is one
                  contains:
                    backend:
                      description: One of V(iptables-legacy), V(iptables-nft) and V(nftables).
                      type: str
                      returned: always
                      sample: iptables-nft
                    family:
                      description: V(ipv4) or V(ipv6).
                      type: str
                      returned: always
                      sample: ipv4
                    table:
                      description: The table, for native nftables with its family.
                      type: str
                      returned: always
                      sample: filter
                    chain:
                      description: The chain.
                      type: str
                      returned: always
                      sample: INPUT
                    rule:
                      description: The rule's number in its chain, beginning with V(1). V(0) is the chain's policy.
                      type: int
                      returned: always
                      sample: 7
                    text:
                      description: The rule as C(iptables-save) or C(nft) writes it, at most 300 characters of it.
                      type: str
                      returned: always
                      sample: -A INPUT -p tcp -m tcp --dport 179 -j DROP
                    owner:
                      description: The program that keeps the rule, V(unknown) if it is somebody's own.
                      type: str
                      returned: always
                      sample: ufw
                    part:
                      description: Which part of its owner's configuration the rule is of, such as V(zone public) or
                        V(policy nodes) of firewalld, V(user.rules) of ufw.
                      type: str
                      returned: if the owner is firewalld or ufw and the chains tell
                      sample: zone public
                    path:
                      description: The chains and rules by which packets get there, its own place last.
                      type: list
                      elements: str
                      returned: always
                      sample: ["INPUT 3", "ufw-user-input 1"]
                    packets:
                      description: How many packets the rule has met.
                      type: int
                      returned: if it counts
                      sample: 12
                rules:
                  description: Number of rules, where more rules block than are listed. I(rule) is the first of
                    them in this chain.
                  type: int
                  returned: if entries were merged
                  sample: 40
                with:
                  description: What a rejected packet is answered with.
                  type: str
                  returned: if RV(ansible_facts.calico_firewall.tcp179.inbound[].verdict) is V(reject)
                  sample: icmp-port-unreachable
                how_is_uncertain:
                  description: V(true) if packets are stopped for certain, but whether they are dropped or rejected
                    could not be decided.
                  type: bool
                  returned: if so
                then:
                  description:
                    - What would stop the connection next, if I(rule) let it pass, and after that. Each is worked out
                      with a rule put ahead of all others in the chain where the packet enters the table.
                    - The entries have I(verdict), I(rule), I(with) and I(why_unknown). To open I(rule) alone is of no
                      use while there are any.
                  type: list
                  elements: dict
                  returned: if there is anything, for the first 3 entries that are not accepted
                why_unknown:
                  description: What the verdict depends on.
                  type: str
                  returned: if RV(ansible_facts.calico_firewall.tcp179.inbound[].verdict) is V(unknown)
                  sample: "it depends on: recent --update --seconds 30 --hitcount 6 --name DEFAULT --rsource"
            outbound:
              description: What becomes of a connection that this node opens to a peer. The same shape as
                RV(ansible_facts.calico_firewall.tcp179.inbound).
              type: list
              elements: dict
              returned: always
            answers:
              description:
                - Answers that are blocked, or may be, although the connection itself is accepted.
                - I(sent) are this node's answers to peers that open a connection, I(received) the peers' answers where
                  this node opens one. Both have the shape of RV(ansible_facts.calico_firewall.tcp179.inbound).
              type: dict
              returned: if any are
        flows:
          description:
            - What becomes of the other packets that go between nodes. V(ipip) is IP protocol 4, V(udp4789) VXLAN,
              V(udp8472) VXLAN as flannel sets it up, V(udp51820) WireGuard for IPv4 and V(udp51821) for IPv6,
              V(tcp5473) Typha. Over IPv4 all but V(udp51821) are evaluated, over IPv6 all but V(ipip) and V(udp51820),
              with every peer and whether the cluster uses them or not.
            - Each is evaluated as the first packet of a new connection (conntrack's state NEW), in both directions.
              Once conntrack knows a flow, its packets pass wherever established connections do.
          type: dict
          returned: if there are peers and filters could be read
          contains:
            accepted:
              description: The flows that are accepted with every peer in both directions.
              type: list
              elements: str
              returned: always
              sample: [ipip, udp4789, udp8472, udp51820, tcp5473]
            inbound:
              description:
                - What is not accepted of the packets that peers send to this node. The same shape as
                  RV(ansible_facts.calico_firewall.tcp179.inbound), with the I(flows) to which it applies. I(peers) is
                  left out if these are all peers of the family.
                - I(answers) is V(accept) if these packets pass when they answer what this node has sent to the peer
                  before. IPIP and WireGuard have no first packet of their own kind, so that what either side sends is
                  an answer for conntrack as soon as the other has sent something.
              type: list
              elements: dict
              returned: if there is any
              sample:
                - flows: [ipip, udp51820]
                  verdict: drop
                  count: 3
                  family: ipv4
                  rule: {"backend": "iptables-nft", "family": "ipv4", "table": "filter", "chain": "INPUT", "rule": 0,
                         "text": "-P INPUT DROP", "owner": "ufw", "path": ["INPUT 0"]}
                  answers: accept
            outbound:
              description: The same of the packets that this node sends to peers.
              type: list
              elements: dict
              returned: if there is any
        pods:
          description:
            - What becomes of pods' packets on this node. V(pods to host) and V(host to pods) go between the node's own
              pods and itself, V(pods to pods) between its own pods, V(pods to tunl0) and V(tunl0 to pods) between them
              and pods of other nodes by that device, the underlay's or a tunnel's to which routes of BIRD's, Felix' or
              flannel's lead.
            - Evaluated are new TCP connections of at most 8 pods and the answers to them, to port 10250 of the host and
              to port 29999 of pods, which no rule is likely to name.
          type: dict
          returned: if there are filters, and pods or routes to them
          contains:
            accepted:
              description: The ways on which everything passes.
              type: list
              elements: str
              returned: always
              sample: [pods to host, host to pods, pods to tunl0, tunl0 to pods, pods to pods]
            not_accepted:
              description:
                - What is not accepted, with the I(ways) concerned, and I(family), I(verdict), I(rule), I(with) and
                  I(why_unknown) as in RV(ansible_facts.calico_firewall.tcp179.inbound).
                - I(answers) is V(true) where the connection itself is accepted and the answers to it are not.
                - I(interfaces) are those of the pods concerned, at most 4, if these are not all that were evaluated.
              type: list
              elements: dict
              returned: if there is any
              sample:
                - ways: [pods to tunl0, tunl0 to pods]
                  verdict: drop
                  family: ipv4
                  rule: {"backend": "iptables-nft", "family": "ipv4", "table": "filter", "chain": "FORWARD", "rule": 0,
                         "text": "-P FORWARD DROP", "owner": "ufw", "path": ["FORWARD 0"]}
            by_calico:
              description: The I(ways) of a I(family) on which rules of Calico's own stop some of these packets, or may
                do so, as policies want it. What other filters would do with these packets is not known.
              type: list
              elements: dict
              returned: if there are any
              sample: [{"ways": ["eth0 to pods"], "family": "ipv4"}]
            felix_rules:
              description: What Felix' rules stop that are of no policy, profile or endpoint, in the form of
                I(not_accepted), for example its drops of unknown interfaces, or of ranges of Services; at most 3.
              type: list
              elements: dict
              returned: if there are any, and this node has pods
              sample:
                - ways: [pods to tunl0]
                  verdict: drop
                  family: ipv4
                  rule: {"backend": "iptables-legacy", "family": "ipv4", "table": "filter",
                         "chain": "cali-from-wl-dispatch", "rule": 1, "text": "-A cali-from-wl-dispatch -j DROP",
                         "owner": "calico", "path": ["FORWARD 1", "cali-FORWARD 1", "cali-from-wl-dispatch 1"]}
        invalid_dropped:
          description:
            - Rules that drop what fits no connection (conntrack's state INVALID) and that have met a packet or do not
              count, those that met most first, at most 3 of a family.
            - I(way) is V(to this host), V(through this host) or both.
          type: list
          elements: dict
          returned: if there are any, and there is some trace of pods
          sample:
            - way: through this host
              rule: {"backend": "iptables-nft", "family": "ipv4", "table": "filter", "chain": "KUBE-FORWARD", "rule": 1,
                     "text": "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP", "owner": "kube-proxy",
                     "path": ["FORWARD 1", "KUBE-FORWARD 1"], "packets": 4711}
        source_nat:
          description:
            - NAT rules that give packets between nodes another source address, which the other side then does not know.
              Rules that put in the address which a packet has already are left out.
            - NAT is decided by the first packet of a connection and holds for all of it. A session that was there
              before the rule goes on unchanged.
          type: list
          elements: dict
          returned: if there are any
          contains:
            flows:
              description: The flows concerned, V(tcp179) for BGP connections that this node opens, others as in
                RV(ansible_facts.calico_firewall.flows).
              type: list
              elements: str
              returned: always
              sample: [tcp179]
            family:
              description: V(ipv4) or V(ipv6).
              type: str
              returned: always
              sample: ipv4
            count:
              description: Number of peers.
              type: int
              returned: always
              sample: 3
            peers:
              description: Their addresses, packed as in RV(ansible_facts.calico_firewall.tcp179.inbound[].peers).
              type: dict
              returned: always
              sample: {"10.200.0": "9-11"}
            direction:
              description: V(inbound) for packets from peers, rewritten before this node's programs see them.
              type: str
              returned: if it is not outbound
            to:
              description: The new source address, or the range of which it is one. For MASQUERADE the address of the
                outgoing interface that the kernel would take.
              type: str
              returned: if it can be told
              sample: 10.200.0.8
            uncertain:
              description: V(true) if it cannot be decided whether the rule holds, or whether the address is another.
              type: bool
              returned: if so
            rule:
              description: The rule, as in RV(ansible_facts.calico_firewall.tcp179.inbound[].rule).
              type: dict
              returned: always
        own_rules:
          description:
            - The rules that roles of this collection have made, which are known by their comment. Those that differ in
              nothing but the peer are one entry, and C({peer}) stands for it in I(text).
          type: list
          elements: dict
          returned: if there are any
          contains:
            backend:
              description: The filter, V(ufw), or the path of a file that is loaded at boot.
              type: str
              sample: iptables-nft
            family:
              description: V(ipv4) or V(ipv6); of nftables its table's family.
              type: str
              sample: ipv4
            table:
              description: The table.
              type: str
              sample: filter
            chain:
              description: The chain; of V(ufw) the file.
              type: str
              sample: INPUT
            text:
              description: The rule.
              type: str
              sample: -A INPUT -s {peer}/32 -p tcp --dport 179 -m comment --comment "netmedic.calico bgp_firewall"
            peers:
              description: The peers, packed.
              type: dict
              sample: {"10.200.0": "9-12"}
        loaded_at_boot:
          description: The places in files that are loaded at boot which belong to chains by which something is blocked.
          type: list
          elements: dict
          returned: if there are any
          sample: [{"path": "/etc/iptables/rules.v4", "family": "ipv4", "table": "filter", "chain": "INPUT"}]
        persistence:
          description:
            - What a reboot would change. The verdicts of now are compared with those of the filters that the host loads
              when it starts, from the files of netfilter-persistent, iptables, nftables, ufw and firewalld where these
              services are enabled. Rules of programs which make them again (Calico, kube-proxy, Docker and others) are
              taken as they are now.
            - What is unknown now or then is left out.
          type: dict
          returned: if a reboot would change any verdict
          contains:
            loaded_at_boot:
              description: The services that load filters when the host starts, with the files they load.
              type: dict
              returned: always
              sample: {"netfilter-persistent": ["/etc/iptables/rules.v4"]}
            tcp179:
              description:
                - Changes of what becomes of TCP 179, at most 12 entries with I(direction), I(family), I(count),
                  I(peers) and I(rule) as in RV(ansible_facts.calico_firewall.tcp179).
                - I(now) and I(after_reboot) are verdicts, one of which is V(accept). I(rule) is the rule of the other.
                - I(after_reboot) is V(unknown) of a rule of now that no service loads, but something in I(may_load)
                  may, or nothing is known of such things, as of a node without Python.
              type: list
              elements: dict
              returned: if there are any
            flows_lost:
              description: Flows beside TCP 179 that pass now and would be blocked.
              type: list
              elements: str
              returned: if there are any
              sample: [udp4789]
            flows_gained:
              description: Flows beside TCP 179 that are blocked now and would pass.
              type: list
              elements: str
              returned: if there are any
              sample: [ipip]
            flows_undecided:
              description: Flows beside TCP 179 that are blocked now and would pass, unless something in I(may_load)
                blocks them again.
              type: list
              elements: str
              returned: if there are any
              sample: [ipip]
            may_load:
              description: The paths, at most 8, of scripts and units which run when the host starts (or later) and call
                a program for filters. What they load is not known.
              type: list
              elements: str
              returned: if there are any and they matter
              sample: [/etc/rc.local]
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._facts import node, options


def main() -> None:
    """Gather the facts and return them."""
    module = AnsibleModule(argument_spec=options.spec("peers", "timeout", *options.BIRD), supports_check_mode=True)
    problem = options.out_of_range(module.params)
    if problem:
        module.fail_json(msg=problem)
    module.exit_json(changed=False, ansible_facts=node.gather(module.params, ("firewall",)))


if __name__ == "__main__":
    main()

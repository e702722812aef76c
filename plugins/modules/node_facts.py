#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All facts about a Calico node in one pass."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_facts
short_description: Gather all facts about a Calico node in one pass
version_added: 1.0.0
author: netmedic.calico contributors (@netmedic)
description:
  - Gathers in one pass what M(netmedic.calico.bgp_facts), M(netmedic.calico.firewall_facts),
    M(netmedic.calico.mtu_facts) and M(netmedic.calico.chrony_facts) gather, and facts about the node itself.
  - Changes nothing and disturbs nothing. No connection is ever opened to a peer, because BIRD takes one for the peer's
    restart and drops the session. Half-open SYN probes do not reach it, and go only to peers whose session is not
    established.
  - A source that is absent, fails or hangs is reported as such and costs its own facts only.
  - The facts are small. Details are returned of what is wrong, the rest is counted and packed.
  - Where a node has no Python, or one that is too old, a shell script reads the same things by the programs that are
    there, and the controller makes the facts of their output. No SYN probe can be sent from such a node, and only paths
    on the link are measured. What the script printed is returned as RV(texts).
notes:
  - On a node without Python a task with C(async) fails.
  - Run it as root. Other users may not use BIRD's socket, read the firewall's rules or send probes. The facts then
    say so.
options:
  texts:
    description:
      - Whether to return, beside the facts, what the programs on the node print, by the names of files in an evidence
        bundle. A shell script reads it after the module has gathered the facts.
      - What was read is not small. It is for keeping, not for every run.
      - On a node without Python the texts are returned in any case.
    type: bool
    default: false
    version_added: 1.1.0
  readiness:
    description:
      - Whether to return also RV(ansible_facts.calico_node.readiness), which tells whether Calico can be installed or
        upgraded on this host.
      - It is read from files and the kernel only. A node without Python does not tell it.
    type: bool
    default: false
    version_added: 1.1.0
extends_documentation_fragment:
  - netmedic.calico.harmless
  - netmedic.calico.facts
  - netmedic.calico.facts.bird
  - netmedic.calico.facts.log
  - netmedic.calico.facts.probe
  - netmedic.calico.facts.rate
  - netmedic.calico.facts.peers
  - netmedic.calico.facts.reach
seealso:
  - module: netmedic.calico.bgp_facts
  - module: netmedic.calico.firewall_facts
  - module: netmedic.calico.mtu_facts
  - module: netmedic.calico.chrony_facts
"""

EXAMPLES = r"""
- name: Gather all facts
  netmedic.calico.node_facts:
  become: true

- name: Gather all facts, and look also at two nodes that should be peers
  netmedic.calico.node_facts:
    peers:
      - 10.200.0.11
      - 10.200.0.12
  become: true

- name: Gather all facts without sending a packet to other nodes
  netmedic.calico.node_facts:
    probe: false
  become: true
"""

RETURN = r"""
read_without_python:
  description: That the node has no usable Python and was read by a shell script.
  type: bool
  returned: if so
  sample: true
texts:
  description: What the shell script read, by the names of files in an evidence bundle, without passwords.
  type: dict
  returned: if O(texts=true), or the node was read without Python
  sample: {"uname.txt": "Linux node-1 6.1.0-30-amd64 x86_64"}
ansible_facts:
  description: The facts.
  returned: always
  type: complex
  contains:
    calico_node:
      description: Facts about the node itself. Keys whose value is unknown are left out.
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
          description: Everything that was tried, with I(source), I(status) (V(ok), V(absent), V(failed) or
            V(unrecognised)) and I(detail).
          type: list
          elements: dict
          returned: always
          sample: [{"source": "netlink", "status": "ok", "detail": ""}]
        nodename:
          description: The name by which Calico knows the node.
          type: str
          returned: always
          sample: node-1
        nodename_source:
          description: Where that comes from, V(environment) of calico-node, V(file) for C(/var/lib/calico/nodename) or
            V(hostname).
          type: str
          returned: always
          sample: file
        nodename_file:
          description: The name in C(/var/lib/calico/nodename).
          type: str
          returned: if calico-node was told another one
          sample: node-1
        node_ref:
          description: The name by which calico-node was told to look for the Node of Kubernetes.
          type: str
          returned: if it is another than the node's name
          sample: node-1.example.org
        kubelet_nodename:
          description: The name of the Node as kubelet's client certificate has it.
          type: str
          returned: if the certificate may be read
          sample: node-1
        hardware:
          description: Vendor and product by the firmware; of a virtual machine, its cloud or hypervisor.
          type: str
          returned: if the firmware tells
          sample: Amazon EC2 m5.large
        hostname:
          description: The host's name.
          type: str
          returned: always
          sample: node-1
        boot_id:
          description: A name of this boot.
          type: str
          returned: if known
        uptime_seconds:
          description: How long ago the node booted.
          type: int
          returned: if known
          sample: 86400
        kernel:
          description: The kernel's release.
          type: str
          returned: always
          sample: 6.1.0-30-amd64
        os:
          description: The operating system and its version.
          type: str
          returned: if known
          sample: debian 12
        python:
          description: The Python that ran this module.
          type: str
          returned: if the node has one
          sample: 3.11.2
        privileged:
          description: Whether the module ran as root.
          type: bool
          returned: always
          sample: true
        addresses:
          description:
            - Addresses by which other nodes might know this one, in the kernel's order. Those of pods' and tunnels'
              interfaces and of container bridges are left out.
            - Autodetection of Calico does not look at I(scope) and I(up).
          type: list
          elements: dict
          returned: if they could be read
          sample: [{"address": "10.200.0.9", "prefix": 24, "interface": "eth0", "position": 1, "scope": "global",
            "up": true}]
          contains:
            address:
              description: The address.
              type: str
              returned: always
            prefix:
              description: Its prefix length, that of the far end if there is I(peer).
              type: int
              returned: always
            interface:
              description: The interface that holds it.
              type: str
              returned: always
            position:
              description: The interface's place in the kernel's list, counted from 0. Autodetection begins at the end.
              type: int
              returned: always
            scope:
              description: The kernel's scope, V(global), V(site), V(link) or V(host).
              type: str
              returned: always
            up:
              description: Whether the interface is up.
              type: bool
              returned: always
            label:
              description: The address' own name.
              type: str
              returned: if it is not the interface's
            peer:
              description: The far end of a point-to-point link.
              type: str
              returned: if there is one
            valid_seconds:
              description: When it expires, unless it is renewed.
              type: int
              returned: if it expires
            signs:
              description:
                - What is peculiar about it.
                - V(secondary) after another one of its subnet, V(dies_with_first) if the kernel removes it together
                  with that one, V(shares_subnet) with another address of this node.
                - V(host_prefix) for /32 and /128, V(point_to_point), V(dynamic) if it expires; for IPv6 V(temporary),
                  V(deprecated), V(tentative), V(duplicate).
                - V(vip) if it looks like an address that moves from host to host and a program that moves them runs
                  here, V(maybe_vip) if none does.
              type: list
              elements: str
              returned: if there is something
              sample: [host_prefix, shares_subnet, vip]
        addresses_left_out:
          description: How many more there are.
          type: int
          returned: if there are more than 32
        other_addresses:
          description: Addresses of interfaces that are left out above, at most 2 of each and 8 in all, with I(address),
            I(prefix), I(interface), I(position), I(label) and I(peer). Some methods of autodetection may take them.
          type: list
          elements: dict
          returned: if there are any
          sample: [{"address": "172.17.0.1", "prefix": 16, "interface": "docker0", "position": 3}]
        other_addresses_left_out:
          description: How many more there are, by interface.
          type: dict
          returned: if there are more
          sample: {"kube-ipvs0": 312}
        vip_holders:
          description: Programs that run here and move addresses from host to host.
          type: list
          elements: str
          returned: if there are any
          sample: [keepalived]
        autodetection:
          description:
            - How Calico finds this node's address, by family, V(ipv4) and V(ipv6), and what it would find now. It is
              worked out from the interfaces as calico-node of this version does.
            - A family of which nothing is to be told is left out.
          type: dict
          returned: if the addresses could be read, and the networking backend is not V(none), with which Calico does
            not look for an address
          sample: {"ipv4": {"picks": "10.200.0.9/24", "interface": "eth0", "outward": "10.200.0.9"}}
          contains:
            set:
              description:
                - What the environment of calico-node says in C(IP) or C(IP6), unless it is V(autodetect).
                - V(unset), V(none), V(address), or V(unknown) if no process of calico-node could be read.
                - Where it is not set, IPv4 is detected only as long as the Node has no address.
              type: str
              returned: if it is not V(autodetect)
            given:
              description: The address that is set.
              type: str
              returned: if one is set
            method:
              description: The method that is set.
              type: str
              returned: if it is not V(first-found)
              sample: interface=^eth0$
            picks:
              description: What this method would pick now.
              type: str
              returned: if it would pick something
            interface:
              description: The interface of that address.
              type: str
              returned: if it would pick something
            undecided:
              description: V(true) if that cannot be said for certain from this node alone.
              type: bool
              returned: if so
            why:
              description: Why this is picked, or nothing.
              type: str
              returned: if BIRD does not use what would be picked, or nothing would be picked
            first_found:
              description: What the default method would pick.
              type: str
              returned: if it is something else
            first_found_interface:
              description: The interface of that address.
              type: str
              returned: with I(first_found)
            outward:
              description: The address from which the kernel would send to far networks.
              type: str
              returned: if there is a way
        bgp_addresses:
          description: By family, the address which this node's BIRD takes for its own.
          type: dict
          returned: always
          sample: {"ipv4": "10.200.0.9"}
        overlay:
          description: The other nodes, as this node's tunnels and routes tell of them. They are looked at like BIRD's
            peers, only that nobody speaks BGP with them where Calico runs without BIRD.
          type: dict
          returned: if BIRD tells of no peer and there is another node, or if Calico or flannel has a VXLAN device
          contains:
            devices:
              description: The VXLAN devices by name. The address of a way is that of the far device. A way is told as
                one line, the other node's address, the MAC and the address of its device, and the destinations that are
                routed there. C(-) stands for what is missing, C(?) for what is not known.
              type: dict
              returned: if there is any
              sample:
                vxlan.calico:
                  addresses: ["10.244.1.1"]
                  local: 10.200.0.9
                  mac: 66b36828398e
                  mtu: 1450
                  port: 4789
                  vni: 4096
                  ways: ["10.200.0.10 66c0932e562c 10.244.2.1 10.244.2.0/26"]
              contains:
                NAME:
                  description: One device.
                  type: dict
                  returned: for each
                  contains:
                    mac:
                      description: Its MAC address, without colons.
                      type: str
                      returned: if known
                    vni:
                      description: Its network identifier.
                      type: int
                      returned: if known
                    port:
                      description: The UDP port of its packets.
                      type: int
                      returned: if known
                    local:
                      description: The address that its packets leave from.
                      type: str
                      returned: if known
                    mtu:
                      description: Its MTU.
                      type: int
                      returned: always
                    addresses:
                      description: Its addresses.
                      type: list
                      elements: str
                      returned: if it has any
                    up:
                      description: Always V(false).
                      type: bool
                      returned: if it is down
                    ways:
                      description: The ways to other nodes; of more than 64 only those that are not whole.
                      type: list
                      elements: str
                      returned: always
                    ways_left_out:
                      description: How many ways are not told.
                      type: int
                      returned: if there are too many
                    ends:
                      description: The other nodes' addresses of the ways that are whole, packed.
                      type: dict
                      returned: if there are more than 64 ways
                    digests:
                      description: For each of I(ends) in their order four hexadecimal digits, the lower half of the
                        CRC-32 of its line.
                      type: str
                      returned: if there are more than 64 ways
                    untold:
                      description: What of V(fdb), V(neighbours) and V(routes) is not known.
                      type: list
                      elements: str
                      returned: if there is any such
            echoes:
              description: By way (V(underlay) or a device) the addresses, packed, by what came of an ICMP echo. At most
                eight other nodes are asked, those that follow this one in the order of their addresses.
              type: dict
              returned: if probing is switched on and there is a way to ask by
              sample: {"underlay": {"answered": {"10.200.0": "10-11"}}, "vxlan.calico": {"silent": {"10.244.2": "1"}}}
            addresses:
              description: By family, the address by which the others know this node. It is the local address of its
                VXLAN device, else the one from which the kernel sends to most of them.
              type: dict
              returned: if BIRD tells of no peer
              sample: {"ipv4": "10.200.0.9"}
            nodes:
              description: The others' addresses, packed, by what tells of them. That is a VXLAN device's forwarding
                table or a WireGuard device's peers, under the device's name, or V(routes) for next hops of Felix' or
                flannel's routes.
              type: dict
              returned: if BIRD tells of no peer
              sample: {"vxlan.calico": {"10.200.0": "10-12"}}
        calico:
          description: What runs of Calico.
          type: dict
          returned: always
          contains:
            backend:
              description: The networking backend, V(bird), V(vxlan), V(none) or V(unknown).
              type: str
              returned: always
              sample: bird
            backend_source:
              description: What tells it.
              type: str
              returned: if something does
              sample: CALICO_NETWORKING_BACKEND of process 2301 (calico-node)
            version:
              description: The tag of the image that calico-node runs from.
              type: str
              returned: if the container runtime's description of it can be read
              sample: v3.28.1
            felix_running:
              description: Whether Felix runs.
              type: bool
              returned: always
              sample: true
            confd_running:
              description: Whether confd runs.
              type: bool
              returned: always
              sample: true
            calico_node_started_seconds_ago:
              description: How long ago calico-node started.
              type: int
              returned: if it runs
              sample: 3600
            felix_started_seconds_ago:
              description: How long ago Felix started itself.
              type: int
              returned: if that was more than 30 seconds after calico-node started
              sample: 5
            confd_started_seconds_ago:
              description: The same of confd.
              type: int
              returned: if that was more than 30 seconds after calico-node started
              sample: 5
        host:
          description:
            - The host below Calico. What is as it should be is left out.
            - Counters are given as C(total) since boot and by how much they C(grew) during the pass.
          type: dict
          returned: always
          contains:
            forwarding_off:
              description:
                - By family, the interfaces towards peers and pods that do not forward, at most 16, V(all) first if
                  forwarding is off altogether.
                - IPv6 is looked at only where Calico uses it.
              type: dict
              returned: if there are any
              sample: {"ipv4": ["all", "eth0"]}
            rp_filter:
              description: Interfaces towards peers whose reverse path filter is C(strict) or C(loose) in effect, by the
                greater of the interface's value and that of C(all); V(all) is among them if it is set for all.
              type: dict
              returned: if there are any
              sample: {"strict": ["eth0"]}
            rp_filter_all:
              description: The setting net.ipv4.conf.all.rp_filter itself, V(0), V(1) or V(2).
              type: int
              returned: if it could be read
            checksum_errors_tcp:
              description: TCP segments that arrived with a wrong checksum.
              type: dict
              returned: if there were any
              sample: {"total": 12, "grew": 0}
            checksum_errors_udp:
              description: The same of UDP datagrams, VXLAN's among them.
              type: dict
              returned: if there were any
              sample: {"total": 12, "grew": 3}
            reverse_path_dropped:
              description: Packets that the reverse path filter dropped.
              type: dict
              returned: if there were any
              sample: {"total": 120, "grew": 3}
            conntrack:
              description: The connection tracking table, its C(count) of entries and C(max), the counters
                C(insert_failed), C(drop), C(early_drop) and C(invalid) (packets that fit no connection) if they ever
                moved, and C(tcp_be_liberal) if that is on.
              type: dict
              returned: if connections are tracked
              sample: {"count": 1204, "max": 262144}
            neighbour_tables:
              description: By family, C(entries) and C(max) of a neighbour table that is four fifths full, and its
                C(overflows) if there were any. The kernel has one table for all network namespaces.
              type: dict
              returned: if there is something to say
              sample: {"ipv4": {"entries": 1024, "max": 1024, "overflows": {"total": 9, "grew": 2}}}
            counted_seconds:
              description: Over how many seconds counters grew.
              type: float
              returned: if one grew
            strain:
              description:
                - What keeps BIRD from sending its keepalives in time.
                - I(pressure) is the share of the last 10 and 60 seconds, in percent, in which something waited for
                  C(cpu), C(memory) or C(io), if it was a tenth or more. I(load) is that of the last minute with the
                  number of processors, if it is twice that number or more.
                - I(interfaces) are the counters of interfaces towards peers that tell of lost packets, those of dropped
                  ones only if they grew or are more than one in a thousand. I(oom_kills) counts processes that the
                  kernel killed for want of memory on the whole host.
                - I(calico_node) is what the control groups of its container tell, I(throttled) (of so many I(periods)
                  so many were cut short, for I(seconds) in all) and I(oom_kills) in it or its pod.
              type: dict
              returned: if there is something to say
              sample:
                pressure: {"cpu": [23.9, 71.0]}
                calico_node: {"throttled": {"periods": 9000, "throttled": 4100, "seconds": 250.5}, "oom_kills": 3}
            neighbours:
              description: The peers, or routers towards them, whose entry in the neighbour table is C(failed) or
                C(incomplete), packed.
              type: dict
              returned: if there are any
              sample: {"failed": {"10.200.0": "11"}}
            other_sources:
              description: The peers to whom the kernel would not use the address that BGP uses, packed, by the address
                that it would use.
              type: dict
              returned: if there are any
              sample: {"10.0.2.15": {"10.200.0": "10-12"}}
            no_way:
              description: The peers without an ordinary route, packed, by what there is instead, for example C(none),
                C(blackhole) or C(local).
              type: dict
              returned: if there are any
            rules:
              description: By family, the rules of policy routing beside the three that every kernel has, as C(ip rule)
                prints them, at most 16.
              type: dict
              returned: if there are any
              sample: {"ipv4": ["100: from 10.200.0.9 to 10.200.0.10 lookup 100"]}
            rules_left_out:
              description: How many more there are.
              type: int
              returned: if there are more
            rerouted:
              description: The peers to whom packets from the address that BGP uses go another way than those from any
                address, packed, by that way, which is C(via) a router and C(dev) a device, or what there is instead,
                for example C(blackhole).
              type: dict
              returned: if there are any
              sample: {"blackhole": {"10.200.0": "10"}}
            tunnels:
              description:
                - Tunnel devices in trouble, each with I(name) and, if it is needed, why.
                - I(problem) is V(missing), V(down), V(no_address), V(local_not_here) if packets leave from an address
                  that this host does not have, or V(local_differs) if from another than BGP uses. I(local) is that
                  address.
                - I(vni) and I(port) are there if they are not the usual ones, which are 4096 and 4789 for Calico, 1 and
                  8472 for flannel.
              type: list
              elements: dict
              returned: if there are any
              sample: [{"name": "tunl0", "problem": "missing", "needed": "bird.cfg sends routes into it"}]
            routes:
              description:
                - By family, the number of destinations with routes of C(bird) and of C(felix) in the kernel.
                - C(blackholes) (of BIRD or Felix), C(unreachable), C(dead) (by a link that is down) and C(conflicts)
                  (of both BIRD and Felix) name the first eight destinations of such routes of BIRD. If there are more,
                  C(blackholes_count) and so on is their number, and C(blackholes_packed) and so on are the first 256,
                  packed by the length of their prefixes. A node has a blackhole for each of its own blocks of
                  addresses.
                - All of these are about the table main. C(other_tables) counts routes of BIRD and Felix in others, by
                  the number of the table; WireGuard has one.
                - C(not_in_kernel) is there if BIRD exports routes to the kernel that are not in it, with their numbers
                  C(exported) and C(in_kernel). C(missing) are these routes and C(refused) those that the kernel did not
                  take, packed likewise, at most 256 each (then C(missing_left_out) or C(refused_left_out) says how many
                  more there are). C(instead_felix) is the number of refused ones in whose place Felix has a route.
                - C(off_link) counts BIRD's routes by next hops that are in no subnet of their interface and on no route
                  of it without a gateway, C(via_router) those by a router that is no BGP peer and which this host uses
                  for other things, too.
              type: dict
              returned: if there are routes
              sample: {"ipv4": {"bird": 3, "blackholes": ["10.244.2.0/26"]}}
            network_managers:
              description:
                - By name, V(NetworkManager) and V(systemd-networkd), if they run, and V(another program) where pods'
                  interfaces have IPv4 addresses on the host, which nothing of Calico's gives them.
                - C(managed) are Calico's interfaces that they manage, at most 8, C(not_excluded) those that
                  NetworkManager is not told to leave alone, C(files) the .network files that take them.
                - C(removes_foreign_routes) is there unless systemd-networkd is told ManageForeignRoutes=no.
              type: dict
              returned: if one of them runs
              sample: {"NetworkManager": {"managed": ["tunl0"], "not_excluded": ["cali*", "tunl0"]}}
            other_plugins:
              description: By name, network plugins other than Calico of which there are I(interfaces), I(files) of
                configuration or I(rules), and whether their daemon is I(running). If it is not, these are leftovers.
              type: dict
              returned: if there are any
              sample: {"weave": {"interfaces": ["weave"], "rules": true}}
            checksum_offload:
              description: Tunnel devices that leave the checksums of what they send to others (C(tx-checksumming) of
                C(ethtool -k)). Some kernels before 5.7 and some network cards get them wrong; Calico from 3.28 on
                switches it off.
              type: list
              elements: str
              returned: if there are any
              sample: [vxlan.calico]
            kube_proxy:
              description: That kube-proxy gives whatever goes to a Service the node's own source (I(masquerade_all)),
                and I(why) that is known.
              type: dict
              returned: if it does
              sample: {"masquerade_all": true, "why": "kube-proxy (process 1932) runs with --masquerade-all"}
            captured:
              description: What captures show, by protocol, sender, receiver and port, with numbers of packets and of
                checksums; in tunnels of connections and pings, too. Only in facts made of a bundle.
              type: list
              elements: dict
              returned: if there are captures
              sample:
                - {"protocol": "vxlan", "source": "10.0.10.14", "destination": "10.0.10.10", "port": 4789, "packets": 2,
                   "good_checksums": 1, "bad_checksums": 1}
            tools:
              description: Tools that did not get at BIRD where they looked (I(complaints)), and where its sockets are
                (I(bird_sockets)). Only in facts made of a bundle.
              type: dict
              returned: if a tool complains
              sample:
                complaints:
                  - {"tool": "calicoctl", "socket": "/var/run/bird/bird.ctl", "said": "no such file or directory"}
                bird_sockets: [{"path": "/var/run/calico/bird.ctl", "why": "listens"}]
            kernel_missing:
              description: Parts of the kernel that Calico needs here, and that are neither loaded, nor built in, nor
                can be loaded.
              type: list
              elements: str
              returned: if there are any
              sample: [ipip]
            kubelet:
              description:
                - Kubelet's I(process), or V(false) for I(running), I(started_seconds_ago), I(state) if it is stopped or
                  hangs, I(node_ip) and I(hostname_override) if its command line has them or, with k3s and MicroK8s,
                  the files of these.
                - I(supervisor) is the program of a distribution (RKE2, k0s) that starts kubelet, and as what it runs.
              type: dict
              returned: always
              sample: {"process": "kubelet", "started_seconds_ago": 86000, "node_ip": "10.200.0.9"}
            container_runtime:
              description: The same of the container runtime. I(socket_missing) is where its socket should be and is
                not.
              type: dict
              returned: always
              sample: {"process": "containerd", "started_seconds_ago": 86010}
            cni:
              description:
                - The CNI configurations of this node by name, at most 8 (then I(files_left_out) is the number of the
                  others), the I(plugin) of the first, and their I(folder) if it is not C(/etc/cni/net.d).
                - I(ipam) is who hands out addresses, unless that is C(calico-ipam), I(use_pod_cidr) V(true) if it does
                  so from the Node's podCIDR.
                - Of several folders that counts which the container runtime is told to read. I(other_folders) are the
                  others with their files. I(runtime_folder) is there if the runtime reads a folder without any.
                - I(token_age_seconds) and I(token_expires_in_seconds), negative if that is past, of the token in
                  C(calico-kubeconfig). calico-node renews it when a quarter of its time is over. The token itself is
                  never returned.
              type: dict
              returned: if there are any
              sample: {"files": ["10-calico.conflist"], "plugin": "calico", "token_age_seconds": 3600,
                       "token_expires_in_seconds": 82800}
            certificates:
              description: Certificates that this node can read and that are V(expired), V(not_yet_valid), V(unreadable)
                or V(expires_soon) (within 14 days), with I(path), I(state), I(not_before) and I(not_after), at most 12.
              type: list
              elements: dict
              returned: if there are any
              sample:
                - path: /etc/kubernetes/pki/apiserver.crt
                  state: expired
                  not_before: "2025-11-20T00:00:00Z"
                  not_after: "2026-11-20T00:00:00Z"
            control_plane:
              description:
                - This node's connections to what governs Calico, as the kernel has them, and what Felix and Typha say
                  of themselves.
                - Connections are counted by endpoint, C(address:port), I(established), I(opening) (asked for and not
                  answered yet) by I(opened_by), and I(retransmitting) (established, but what was sent last is not
                  acknowledged). What is not there counts 0 and is left out, but for I(established). That alone is no
                  sign of trouble, as programs connect when they have something to ask; the CNI plugin does so while it
                  sets up a pod.
              type: dict
              returned: if Calico runs here or kubelet is set up
              sample:
                apiserver: {"10.96.0.1:443": {"established": 2, "told": ["calico"]}}
                felix: {"state": "ready"}
              contains:
                apiserver:
                  description:
                    - The API server's endpoints, with I(told), which of V(calico), V(kubelet) and V(cni) (the plugin's
                      C(calico-kubeconfig)) were told to connect there. Other connections to port 6443 are counted, too.
                    - I(name) is the name that they were told, if not the address. I(address) is V(unknown) for a name
                      that stands not in C(/etc/hosts); of that, connections are not known.
                  type: dict
                  returned: if there are any
                  sample:
                    "10.96.0.1:443": {"established": 0, "opening": 1, "opened_by": ["calico-node"], "told": ["calico"]}
                etcd:
                  description: The same for etcd's endpoints.
                  type: dict
                  returned: if Calico keeps its data in etcd
                  sample: {"10.0.0.2:2379": {"established": 3}}
                typha:
                  description:
                    - I(service), its namespace and name, or I(address), where Felix looks for Typha, and its
                      I(connections).
                    - Where none is established, also I(service_address), at which there was a service of that name in
                      calico-node's own namespace when its pod started; I(expects), the I(cn) or I(uri) that Typha's
                      certificate must have; I(certificate), whom Felix' own one names, its I(issuer) and the beginning
                      of that one's key identifier, I(issuer_key); I(trusts), names and key identifiers of the CAs.
                  type: dict
                  returned: if Felix looks for one or there are connections to port 5473
                  sample:
                    service: calico-system/calico-typha
                    connections: {"10.0.0.5:5473": {"established": 0, "opening": 1, "opened_by": ["calico-node"]}}
                    expects: {"cn": "typha-server"}
                    certificate: {"cn": "typha-client", "issuer": "tigera-signer", "issuer_key": "150ce840b5aedd60"}
                    trusts: [{"cn": "tigera-signer", "key": "150ce840b5aedd60"}]
                felix:
                  description:
                    - I(state) as Felix says itself on its health port, which kubelet asks, too; V(ready), V(not_ready)
                      or V(not_live), then with I(parts), by name what each part reports that is not well.
                    - V(off) if no port was asked for and none is open, V(not_listening), V(port_taken) by another
                      I(process), V(refused), V(no_answer) within a second, V(unrecognised), or V(unknown) if it may not
                      be seen whose port it is.
                  type: dict
                  returned: if Felix runs
                  sample: {"state": "not_ready", "parts": {"CalculationGraph": "reporting non-ready"}}
                typha_here:
                  description: Typha's I(state) and I(parts) like Felix', whether it I(listens), how many I(clients) it
                    has, and I(expects), I(certificate) and I(trusts) as of Felix.
                  type: dict
                  returned: if a Typha runs on this host
                  sample: {"state": "ready", "listens": true, "clients": 12}
            log:
              description:
                - Telling lines of calico-node's programs, Typha, the CNI plugin, flannel, CoreDNS and kubelet, newest
                  first, at most 20, with I(at), I(component), I(kind) and I(text), without secrets. Lines of one
                  component and kind are one, with their I(count); those about connections to Typha only if to the
                  same endpoint, those about podCIDRs only if of the same Node. I(quiet_seconds) tells for how long the
                  log goes on without another such line, where that is five minutes or more.
                - Of Calico V(autodetection), V(autodetected) (only where addresses of one family changed, or one is on
                  an interface of containers), V(node_ip_conflict), V(node_ip_not_on_host), V(node_ip_changed),
                  V(node_ip_found_anew) (also when a node starts for the first time), V(node_ip_without_mask),
                  V(nodename_missing), V(nodename_stored) (no NODENAME is given to calico-node), V(unauthorized),
                  V(tls), V(typha_discovery), V(typha), V(datastore), V(rp_filter), V(rpf_check), V(tunnel),
                  V(tunnel_absent) (Felix waits for a VXLAN device), V(podcidr),
                  V(mtu), V(iptables), V(iptables_backend), V(nftables),
                  V(ipset), V(ipset_incompatible), V(kernel_module), V(kernel_lacks), V(conntrack_full), V(render),
                  V(interface_taken_down) (a pod's interface is set down in the moment it comes up),
                  V(encapsulation_change), V(health_port), V(health), V(token), V(password_secret), V(peer_address),
                  V(config_error), V(pod_route_taken) (another route has a pod's address), V(pod_setup), V(crash),
                  V(fatal), V(terminated), and V(other) for other errors.
                - Of the system's log V(conntrack_full), V(bad_checksum) (of VXLAN's packets that come in),
                  V(kernel_lacks) (a module does not fit the kernel), V(interface_managed) and V(interface_seen) (what
                  network managers tell of Calico's interfaces).
                - Of CoreDNS V(pod_api) and V(pod_upstream) (the API server, and name servers outside of the cluster,
                  do not answer that pod).
                - Of flannel V(unauthorized), V(tls), V(podcidr), V(interface), V(apiserver), V(network_config),
                  V(kernel_module), V(iptables) and V(other).
                - Of kubelet V(calico_not_ready), V(calico_not_live), V(probe_errored), V(nodename_missing),
                  V(podcidr), V(unauthorized), V(mtu), V(cni_not_ready), V(certificate), V(node_status), V(apiserver),
                  V(runtime), V(start), V(pod_route_taken), V(pod_setup) and V(calico_restarts). They come from its
                  own log or the system's. Where it writes to no file, its journal is read if something that it may
                  explain is amiss (kubelet, the container runtime or Calico does not run or was started within the
                  window, Felix or Typha is not ready, no connection to the API server, no CNI configuration, a token
                  or certificate past its time).
                - The source C(host_logs) tells of logs of which less than the window was read, C(host_journal) why the
                  journal was read or why it tells nothing.
              type: list
              elements: dict
              returned: if there are any
              sample:
                - at: "2026-11-21T00:00:00Z"
                  component: felix
                  kind: tunnel
                  text: "Failed to get tunnel device, retrying... error=Link not found"
        readiness:
          description: What Calico will find on this host when it is installed there or upgraded.
          type: dict
          returned: if O(readiness=true) and the node has Python
          contains:
            machine:
              description:
                - What only this machine has, so that copies of it are found. I(machine_id) of C(/etc/machine-id) and
                  I(product_uuid) of the firmware are digests, by which hosts can be compared and nothing else.
                - I(macs) are the MAC addresses of interfaces with addresses of RV(ansible_facts.calico_node.addresses),
                  at most 8.
              type: dict
              returned: if any of it can be read
              sample: {"machine_id": "3f1c5b0e9a7d2468", "macs": {"eth0": "02:42:0a:c8:00:09"}}
            saved:
              description:
                - Of the settings C(net.ipv4.ip_forward), C(net.ipv6.conf.all.forwarding),
                  C(net.ipv4.conf.all.rp_filter), C(net.ipv4.conf.default.rp_filter) and
                  C(net.ipv6.conf.all.disable_ipv6) those that a file sets when the host starts.
                - I(value), and the I(file) that decides.
              type: dict
              returned: if a file sets one
              sample: {"net.ipv4.ip_forward": {"value": "0", "file": "/etc/sysctl.d/99-hardening.conf"}}
            kernel_missing:
              description: Parts of the kernel that Calico needs, whatever is planned, and that are neither loaded, nor
                built in, nor can be loaded.
              type: list
              elements: str
              returned: if it can be told
              sample: [wireguard]
            kernel_unknown:
              description: That nothing tells which parts this kernel has.
              type: bool
              returned: if so
            ports:
              description:
                - Who listens on ports that Calico needs. These are TCP 179, 5473, 9098, 9099 and 9199, UDP 4789, 8472,
                  51820 and 51821.
                - I(protocol), I(port), I(address), and I(process), I(pid) and I(container) where these can be seen.
                  I(device) is the VXLAN device that has it.
              type: list
              elements: dict
              returned: always
              sample: [{"protocol": "tcp", "port": 179, "address": "0.0.0.0", "process": "bgpd", "pid": 812}]
            routes:
              description: Routes in the table main that are neither default, nor Calico's, nor the kernel's own for its
                addresses, at most 24.
              type: list
              elements: str
              returned: if there are any
              sample: ["10.8.0.0/24 via 10.200.0.1 dev eth0"]
            routes_left_out:
              description: How many more there are.
              type: int
              returned: if there are more
            calico_left:
              description: I(interfaces) of Calico's, at most 8 (then I(interfaces_count) is their number), and
                I(files), where nothing of Calico runs.
              type: dict
              returned: if there are any
              sample: {"interfaces": ["vxlan.calico"], "files": ["/var/lib/calico/nodename"]}
            iptables:
              description: To which backend the host's C(iptables) writes, V(nft) or V(legacy).
              type: str
              returned: if its link tells
              sample: nft
            reach:
              description: By destination of O(readiness_reach) the address from which the kernel would send there. It
                is empty if there is no way. A name that stands not in C(/etc/hosts) is left out.
              type: dict
              returned: if one was asked for
              sample: {"198.51.100.1": "10.200.0.9"}
        taken_at_epoch:
          description:
            - The same moment by the node's clock, in seconds since 1970 with a fraction.
            - From it and from RV(ansible_facts.calico_node.duration_seconds) the controller works out
              RV(netmedic.calico.chrony_facts#module:ansible_facts.calico_chrony.offset_to_controller_seconds).
          type: float
          returned: always
          sample: 1795219200.123
        duration_seconds:
          description: How long the pass took.
          type: float
          returned: always
          sample: 0.3
        cpu_seconds:
          description: Processor time of the module and the programs that it ran.
          type: float
          returned: always
          sample: 0.2
    calico_bgp:
      description: See RV(netmedic.calico.bgp_facts#module:ansible_facts.calico_bgp).
      returned: always
      type: dict
    calico_firewall:
      description: See RV(netmedic.calico.firewall_facts#module:ansible_facts.calico_firewall).
      returned: always
      type: dict
    calico_mtu:
      description: See RV(netmedic.calico.mtu_facts#module:ansible_facts.calico_mtu).
      returned: always
      type: dict
    calico_chrony:
      description: See RV(netmedic.calico.chrony_facts#module:ansible_facts.calico_chrony).
      returned: always
      type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._facts import node, options


def main() -> None:
    """Gather the facts and return them."""
    module = AnsibleModule(argument_spec=options.spec(*options.OPTIONS), supports_check_mode=True)
    problem = options.out_of_range(module.params)
    if problem:
        module.fail_json(msg=problem)
    module.exit_json(changed=False, ansible_facts=node.gather(module.params))


if __name__ == "__main__":
    main()

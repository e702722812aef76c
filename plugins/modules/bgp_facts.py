#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about BGP on a Calico node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: bgp_facts
short_description: Gather facts about the BGP sessions of a Calico node
version_added: 1.0.0
author: netmedic.calico contributors (@netmedic)
description:
  - Asks BIRD, the BGP daemon of C(calico-node), over its control socket for its status and its sessions, for IPv4 and
    IPv6.
  - Adds what stands beside it on the node, which are the configuration on disk, the telling lines of the last hour of
    its log, who listens on the BGP port, sockets in trouble, and the kernel's counters of TCP MD5 signatures.
  - For peers whose session is not established it looks at the way there, with an ICMP echo and a half-open SYN to the
    BGP port that never reaches the peer's BIRD.
  - M(netmedic.calico.node_facts) gathers the same together with all other facts in one pass.
notes:
  - Run it as root. Other users may not use BIRD's socket, read its configuration or send probes. The facts then say so.
  - Of a session's password nothing is read but that there is one.
extends_documentation_fragment:
  - netmedic.calico.harmless
  - netmedic.calico.facts
  - netmedic.calico.facts.bird
  - netmedic.calico.facts.log
  - netmedic.calico.facts.probe
  - netmedic.calico.facts.rate
  - netmedic.calico.facts.peers
seealso:
  - module: netmedic.calico.node_facts
"""

EXAMPLES = r"""
- name: Gather facts about BGP
  netmedic.calico.bgp_facts:
  become: true

- name: Fail where a session is down
  ansible.builtin.assert:
    that: ansible_facts.calico_bgp.daemons.ipv4.peers.established == ansible_facts.calico_bgp.daemons.ipv4.peers.total

- name: Gather facts on MicroK8s without sending anything
  netmedic.calico.bgp_facts:
    bird_socket: /var/snap/microk8s/current/var/run/calico/bird.ctl
    probe: false
  become: true
"""

RETURN = r"""
ansible_facts:
  description: The facts.
  returned: always
  type: complex
  contains:
    calico_bgp:
      description:
        - Facts about BGP. Keys whose value is unknown are left out.
        - Ages are in seconds before I(taken_at), by the clock of whoever noted the time.
        - Many addresses are packed, which is to say grouped by everything but their last part.
          C({"10.200.0":"9-12,14"}) stands for five addresses, and C({"fd00:0:0:0:0:0:0":"9-c"}) for four, in
          hexadecimal. What is no plain address stands as it is under an empty key.
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
        expected:
          description: Whether a BIRD belongs on this node. V(none) if nothing tells.
          type: bool
          returned: always
          sample: true
        expected_why:
          description: What tells it.
          type: str
          returned: always
          sample: "CALICO_NETWORKING_BACKEND of process 2301 (calico-node), networking backend bird"
        daemons:
          description: One entry for each family, C(ipv4) and C(ipv6), of which there is a process, a configuration or
            a socket.
          type: dict
          returned: always
          contains:
            ipv4:
              description: The daemon that speaks BGP for IPv4. The one for IPv6 has the same keys.
              type: dict
              returned: if there is a trace of it
              contains:
                running:
                  description: Whether it runs, be it that its process is seen or that its socket is served.
                  type: bool
                  returned: always
                pid:
                  description: Its process.
                  type: int
                  returned: if its process is seen
                start_ticks:
                  description: When its process started, in clock ticks since the boot (field 22 of C(/proc/PID/stat)).
                  type: int
                  returned: if its process is seen
                process:
                  description: The name of its process.
                  type: str
                  returned: if its process is seen
                  sample: bird
                process_state:
                  description: The state of its process as the kernel abbreviates it, V(T) if it was stopped by a
                    signal.
                  type: str
                  returned: if its process is seen
                  sample: S
                argv_config:
                  description: The configuration that it was started with.
                  type: str
                  returned: if its process is seen
                  sample: /etc/calico/confd/config/bird.cfg
                started_seconds_ago:
                  description: Age of its process.
                  type: int
                  returned: if its process is seen
                socket:
                  description: The control socket that was used, or tried last, as the daemon names it.
                  type: str
                  returned: always
                  sample: /var/run/calico/bird.ctl
                socket_state:
                  description:
                    - V(answers) if BIRD answered.
                    - V(no_answer) if it accepts connections and then is silent, V(refused) if the socket is left over
                      from a daemon that is gone, V(absent) if there is none.
                    - V(denied) if this user may not use it, V(garbage) if something else than BIRD answered.
                  type: str
                  returned: always
                  sample: answers
                socket_hidden:
                  description: V(true) if BIRD has its socket in its own container only, so that tools which run on the
                    host find none in the usual places.
                  type: bool
                  returned: if it is so
                via:
                  description: How it was asked. V(birdcl) where only the client program could reach it, V(calicoctl)
                    in facts made of a bundle that holds only calicoctl's table of its sessions, empty without an
                    answer.
                  type: str
                  returned: always
                  sample: socket
                version:
                  description: Version of BIRD.
                  type: str
                  returned: if it answers
                  sample: v0.3.3+birdv1.6.8
                router_id:
                  description: The router id in use.
                  type: str
                  returned: if it answers
                  sample: 10.200.0.9
                state:
                  description: V(up), V(shutdown) or V(reconfiguring).
                  type: str
                  returned: if it answers
                  sample: up
                booted_seconds_ago:
                  description: When it started, by its own account.
                  type: int
                  returned: if it answers
                reconfigured_seconds_ago:
                  description: When it last took a new configuration.
                  type: int
                  returned: if it answers
                graceful_restart:
                  description: Its own recovery after a start, with the number of sessions it waits for and the timer.
                  type: dict
                  returned: while it lasts
                  sample: {"waiting_for": 11, "timer": "234/240"}
                config:
                  description: The configuration on disk.
                  type: dict
                  returned: if it could be read
                  contains:
                    path:
                      description: Its path as the daemon sees it.
                      type: str
                      returned: always
                    modified_seconds_ago:
                      description: When it or a file that it includes was last written.
                      type: int
                      returned: always
                    newer_than_running:
                      description: Whether it was written after BIRD last took a configuration.
                      type: bool
                      returned: if BIRD answers
                    router_id:
                      description: The router id in it.
                      type: str
                      returned: if given
                    local_as:
                      description: This node's AS number.
                      type: int
                      returned: if given
                    listen_address:
                      description: The address to listen on.
                      type: str
                      returned: if given
                    listen_port:
                      description: The port to listen on.
                      type: int
                      returned: always
                      sample: 179
                    local_address:
                      description: The address that this node uses towards its peers.
                      type: str
                      returned: if known
                    disabled:
                      description: Whether it says that the family is disabled on this node.
                      type: bool
                      returned: always
                    peers:
                      description: Number of sessions configured.
                      type: int
                      returned: always
                    peer_addresses:
                      description: The peers configured, packed.
                      type: dict
                      returned: if BIRD does not tell its sessions
                    only_on_disk:
                      description: Sessions that are configured and do not run.
                      type: list
                      elements: str
                      returned: if there are any
                      sample: ["Mesh_10_200_0_12"]
                    only_running:
                      description: Sessions that run and are no longer configured.
                      type: list
                      elements: str
                      returned: if there are any
                    changed:
                      description: Sessions that run with another peer's address or AS number than is configured.
                      type: list
                      elements: str
                      returned: if there are any
                    only_on_disk_packed:
                      description:
                        - Of more than 20 such names the peers of the others, packed, by kind.
                        - The same goes for C(only_running_packed) and C(changed_packed).
                        - Of names that Calico did not make 1,000 are told, and last how many there are besides.
                      type: dict
                      returned: if there are more than 20
                      sample: {"Mesh": {"10.200.1": "1-250"}}
                    hold_times:
                      description: The peers for whom bird.cfg has a hold time, packed, by its seconds. BIRD's own is
                        240.
                      type: dict
                      returned: if there are any
                      sample: {"9": {"10.200.0": "10"}}
                    keepalive_times:
                      description: The same for the time between keepalives. BIRD's own is a third of the hold time.
                      type: dict
                      returned: if there are any
                      sample: {"3": {"10.200.0": "10"}}
                    duplicate_names:
                      description: Names that are defined more than once, for which BIRD rejects the whole
                        configuration.
                      type: list
                      elements: str
                      returned: if there are any
                    unbalanced:
                      description: Which brace is too many, for which BIRD rejects the whole configuration.
                      type: str
                      returned: if there is one
                    missing_files:
                      description: Files that it includes and that could not be read.
                      type: list
                      elements: str
                      returned: if there are any
                    password:
                      description: Which sessions have a password, V(none), V(some) or V(all).
                      type: str
                      returned: if there are sessions
                    with_password:
                      description: The peers with a password, packed.
                      type: dict
                      returned: if O(ignore:password=some)
                peers:
                  description: The sessions that run.
                  type: dict
                  returned: if BIRD tells them
                  contains:
                    total:
                      description: Their number.
                      type: int
                      returned: always
                    established:
                      description: How many of them are established.
                      type: int
                      returned: always
                    packed:
                      description:
                        - The peers of established sessions, packed, by the kind of peering that the session's name
                          tells of, C(Mesh), C(Node), C(Global), C(Local_Workload) or C(other).
                        - Sessions that stand in RV(ignore:troubled) are not among them.
                      type: dict
                      returned: always
                      sample: {"Mesh": {"10.200.0": "10-12"}}
                    newest_since_seconds_ago:
                      description: Age of the youngest established session.
                      type: int
                      returned: if there are any
                    oldest_since_seconds_ago:
                      description: Age of the oldest established session.
                      type: int
                      returned: if there are any
                    routes_imported:
                      description: Routes imported from established sessions.
                      type: int
                      returned: always
                    routes_exported:
                      description: Routes exported to established sessions.
                      type: int
                      returned: always
                    routes_filtered:
                      description: Routes received from established sessions and filtered out.
                      type: int
                      returned: if there are any
                    without_routes:
                      description: The peers of established sessions from which no route was imported, packed; V(all) if
                        that is all of them.
                      type: raw
                      returned: if there are any
                      sample: {"10.200.0": "12"}
                    short_hold_times:
                      description: The peers of established sessions with whom a hold time of less than 90 seconds was
                        agreed on, packed, by its seconds, at most 8.
                      type: dict
                      returned: if there are any
                      sample: {"9": {"10.200.0": "10"}}
                recent:
                  description: Sessions younger than two minutes though BIRD is older, at most 20.
                  type: list
                  elements: dict
                  returned: if BIRD tells its sessions
                  sample: [{"peer": "10.200.0.10", "since_seconds_ago": 12}]
                troubled:
                  description:
                    - Sessions that are not established, and up to 20 established ones that are out of the ordinary,
                      to another AS, to another port, or still in a transition.
                    - Of more than 20 the others are in RV(ignore:troubled_groups).
                  type: list
                  elements: dict
                  returned: if BIRD tells its sessions
                  contains:
                    name:
                      description: The protocol's name in BIRD.
                      type: str
                      returned: always
                      sample: Mesh_10_200_0_10
                    kind:
                      description: V(Mesh), V(Node), V(Global), V(Local_Workload) or V(other).
                      type: str
                      returned: always
                    peer:
                      description: The peer's address.
                      type: str
                      returned: always
                    port:
                      description: The peer's port.
                      type: int
                      returned: always
                    state:
                      description: State of the protocol.
                      type: str
                      returned: always
                      sample: start
                    bgp_state:
                      description: State of the session.
                      type: str
                      returned: always
                      sample: Connect
                    last_error:
                      description: The last error that BIRD noted. It may be long past.
                      type: str
                      returned: if there was one
                      sample: "Socket: Connection refused"
                    since_seconds_ago:
                      description: Since when the protocol is in this state.
                      type: int
                      returned: if known
                    neighbor_as:
                      description: The peer's AS number as configured here.
                      type: int
                      returned: if known
                    local_as:
                      description: Our AS number towards it.
                      type: int
                      returned: if known
                    passive:
                      description: Whether this side only waits for the peer to connect.
                      type: bool
                      returned: if the configuration was read
                    password:
                      description: Whether the session has a password on this side.
                      type: bool
                      returned: if the configuration was read
                    source:
                      description: Our own address towards it.
                      type: str
                      returned: if known
                    neighbor_id:
                      description: The peer's router ID.
                      type: str
                      returned: if the session is established
                    timers:
                      description: The timers that run besides the hold timer, what is left of them and their length in
                        seconds, C(keepalive), C(connect_delay), C(error_wait), C(restart) and C(stale).
                      type: dict
                      returned: if there are any
                      sample: {"connect_delay": "3/5"}
                    hold_timer:
                      description: What is left of the hold time.
                      type: str
                      returned: if the session is established
                      sample: 159/240
                    routes_imported:
                      description: Routes imported from it.
                      type: int
                      returned: if there are any
                    routes_exported:
                      description: Routes exported to it.
                      type: int
                      returned: if there are any
                    routes_filtered:
                      description: Routes received from it and filtered out.
                      type: int
                      returned: if there are any
                    restarting:
                      description: Whether its routes are kept while it restarts gracefully.
                      type: bool
                      returned: if so
                    disabled:
                      description: Whether it is disabled in the configuration.
                      type: bool
                      returned: if so
                    ttl_security:
                      description: Whether packets from afar are refused.
                      type: bool
                      returned: if so
                    direct:
                      description: Whether the peer has to be in a connected subnet, by the word C(direct) or because it
                        is in another AS and there is no C(multihop). BIRD does not dial one that is not, and has no
                        error to show for it.
                      type: bool
                      returned: if so
                troubled_groups:
                  description:
                    - The further sessions in trouble. Those that are equal but for their peer are one entry with their
                      C(count) and the C(peers), packed.
                    - Keys are as in RV(ignore:troubled), without those that change by the second. C(name) is there
                      if it is not made of kind and peer. Of the sessions' ages C(since_seconds_ago) is the least,
                      C(since_seconds_ago_longest) the greatest.
                    - There are 1,000 entries at most. What would be more is the last of them, with what all of it have
                      in common.
                  type: list
                  elements: dict
                  returned: if more than 20 are in trouble
                  sample:
                    - kind: Mesh
                      port: 179
                      state: start
                      bgp_state: Connect
                      peers: {"10.200.1": "1-250"}
                      count: 250
                      since_seconds_ago: 30
                      since_seconds_ago_longest: 41
        listeners:
          description: Who listens on the BGP port.
          type: list
          elements: dict
          returned: if the kernel's table of sockets could be read
          contains:
            address:
              description: The address.
              type: str
              returned: always
              sample: 0.0.0.0
            port:
              description: The port.
              type: int
              returned: always
              sample: 179
            pid:
              description: The process.
              type: int
              returned: if it may be seen
            process:
              description: The name of the process.
              type: str
              returned: if it may be seen
              sample: bird
            container:
              description: The beginning of the id of its container, empty if it runs in none.
              type: str
              returned: if it may be seen
        sockets:
          description:
            - Sockets of the BGP port on either side that are being opened, that send again what was not acknowledged,
              or that are stuck.
            - A stuck one was so at two looks, I(stuck_seconds) apart, with nothing taken out of its queue. Either
              something is unread in I(receive_queue), then this node's BIRD hangs. Or I(timer) is V(persist), then
              I(send_queue) waits because the peer's window is closed, and it is the peer's BIRD that hangs.
            - Of a node without Python there is one look only, and no I(stuck_seconds).
            - At most 20. Queues are in bytes.
          type: list
          elements: dict
          returned: if the kernel's table of sockets could be read
          sample:
            - local: 10.200.0.9
              local_port: 179
              peer: 10.200.0.10
              peer_port: 40112
              state: ESTABLISHED
              send_queue: 512
              receive_queue: 0
              retransmits: 3
        sockets_established:
          description: How many TCP sockets with the BGP port on either side are established.
          type: int
          returned: if the kernel's table of sockets could be read
        other_speakers:
          description:
            - Programs on this host's network that may speak BGP (by name; FRR's, MetalLB's, GoBGP's and others, and a
              BIRD that is not Calico's), and whatever else holds established connections to the BGP ports; with
              I(process), I(pid), I(container) and I(peers), whom it is connected to, packed by network.
            - An entry without a I(process) is of connections whose holder may not be seen.
          type: list
          elements: dict
          returned: if there are any
          sample: [{"process": "speaker", "pid": 4711, "container": "0123456789ab", "peers": {"10.200.0": "254"}}]
        sockets_left_out:
          description: How many more sockets are in trouble, by their state.
          type: dict
          returned: if there are more than 20
          sample: {"SYN_SENT": 980}
        md5:
          description:
            - The kernel's counters of TCP segments whose MD5 signature was wrong (C(failure)), there and not wanted
              (C(unexpected)), or wanted and not there (C(not_found)), for all sessions together.
            - They are read twice if one of them ever moved and a session is not established. C(grew) is the
              difference, C(seconds) the time between.
          type: dict
          returned: if the kernel has them
          sample: {"seconds": 2.2, "failure": {"total": 38, "grew": 1}, "unexpected": {"total": 0, "grew": 0}}
        log:
          description: The telling lines of BIRD's log, newest first, at most 40. Lines of one kind about one peer are
            one.
          type: list
          elements: dict
          returned: always
          contains:
            at:
              description: When it was written. V(none) if the log has no times.
              type: str
              returned: always
            kind:
              description:
                - V(unexpected_connect), V(bad_peer_as), V(bad_bgp_identifier), V(hold_timer_expired),
                  V(cannot_listen), V(bind_failed), V(config_error), V(md5_unsupported), V(session_lost), V(started),
                  V(shutdown), V(connect), V(filter_error), V(config_missing), V(render_failed),
                  V(next_hop_unresolvable),
                  V(next_hop_is_local), V(kernel_route), V(netlink_overrun) or V(incoming_aborted).
                - Errors of a configuration are left out once a later one was taken.
              type: str
              returned: always
            peer:
              description: The peer's address.
              type: str
              returned: always
            value:
              description: The AS number, BGP identifier, port, place in a file or reason that the line tells.
              type: str
              returned: always
            text:
              description: The line without its time, shortened to 200 characters.
              type: str
              returned: always
            count:
              description: How many lines this stands for.
              type: int
              returned: if more than one
        probes:
          description: Answers to half-open SYNs, one for each peer whose session is not established.
          type: list
          elements: dict
          returned: if there are such peers
          contains:
            peer:
              description: The peer.
              type: str
              returned: always
            source:
              description: Our address, empty for the kernel's choice.
              type: str
              returned: always
            port:
              description: The port.
              type: int
              returned: always
            result:
              description:
                - V(open), V(reset), V(rejected) by an ICMP error, or V(silent).
                - V(error) if the packet did not leave this host.
                - V(not_tried) if the session has a password, since the peer would count an unsigned SYN as an attack.
              type: str
              returned: always
            from:
              description: Who sent the ICMP error.
              type: str
              returned: if there was one
            icmp_type:
              description: Its type.
              type: int
              returned: if there was one
            icmp_code:
              description: Its code.
              type: int
              returned: if there was one
            detail:
              description: What else there is to say.
              type: str
              returned: if there is something
        peer_reachability:
          description: How the same peers are reached below TCP.
          type: list
          elements: dict
          returned: if there are such peers
          contains:
            peer:
              description: The peer.
              type: str
              returned: always
            route:
              description: The interface towards it.
              type: str
              returned: if there is a route
            route_kind:
              description: What the route is if it leads nowhere, for example V(blackhole) or V(none).
              type: str
              returned: if it is no ordinary one
            source:
              description: The address that the kernel would use.
              type: str
              returned: if there is a route
            on_link:
              description: Whether it is on a directly attached network.
              type: bool
              returned: if there is a route
            neighbour:
              description: The state of its entry in the neighbour table, V(off_link) if it is behind a router.
              type: str
              returned: if there is a route
              sample: reachable
            echo:
              description: What became of an ICMP echo, V(answered), V(silent), V(unreachable) or V(not_tried).
              type: str
              returned: always
        probes_groups:
          description: The probes of further peers, those with the same answer as one entry with the C(peers), packed,
            and their C(count).
          type: list
          elements: dict
          returned: if there are more than 20
          sample: [{"source": "10.200.0.9", "port": 179, "result": "silent", "peers": {"10.200.1": "1-9"}, "count": 9}]
        peer_reachability_groups:
          description: The same for RV(ignore:peer_reachability).
          type: list
          elements: dict
          returned: if there are more than 20
        sources:
          description: What was tried, and how it went.
          type: list
          elements: dict
          returned: always
          contains:
            source:
              description: Its name.
              type: str
              returned: always
              sample: bird_socket_ipv4
            status:
              description: V(ok), V(absent), V(failed) or V(unrecognised).
              type: str
              returned: always
            detail:
              description: A sentence about it, empty if all is well.
              type: str
              returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._facts import node, options


def main() -> None:
    """Gather the facts and return them."""
    module = AnsibleModule(argument_spec=options.spec(*options.BGP), supports_check_mode=True)
    problem = options.out_of_range(module.params)
    if problem:
        module.fail_json(msg=problem)
    module.exit_json(changed=False, ansible_facts=node.gather(module.params, ("bgp",)))


if __name__ == "__main__":
    main()

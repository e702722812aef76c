#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes to a host that undo themselves unless they are confirmed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_change
short_description: Change a host so that it undoes the change by itself unless all is well
version_added: 1.0.0
author: netmedic.calico contributors (@netmedic)
description:
  - Makes changes to a host's firewall, files, kernel settings and services as one. Whatever could keep one of them from
    being made is looked for before the first. If one fails all the same, those before it are undone at once.
  - Before the first change a process is started on the host, the dead man's switch. It undoes everything unless the
    change is confirmed within O(confirm_within) seconds. It survives the loss of the connection, of C(sshd) and of the
    controller. If the host is rebooted meanwhile, or the process is killed, the next call of this module undoes what
    was not confirmed.
  - With its defaults one task does all of it. It makes the changes, comes back over a new connection, waits until the
    BGP sessions are up that were up before, and those of O(expect), and confirms. If that does not come about it undoes
    the changes and fails with what is lost. With C(throttle=1) nodes are changed one at a time.
  - What was there before stands in C(/var/lib/netmedic-calico/changes), one file for each O(id), for root alone.
    O(state=undone) puts it back, also long after it was confirmed, and refuses where somebody else has changed the same
    thing since.
  - On one host one change is made at a time.
options:
  id:
    description: A name for this change, of letters, digits, dots, dashes and underscores. A later call with the same id
      adds to what is on record, so that O(state=undone) takes back both.
    type: str
    required: true
  state:
    description:
      - With V(applied), make the O(changes). Where all of it is there already nothing is changed, armed or recorded.
      - With V(confirmed), confirm what is armed under this O(id).
      - With V(undone), undo what is armed under this O(id), or roll back what was confirmed.
      - With V(status), tell what is on record.
    type: str
    choices: [applied, confirmed, undone, status]
    default: applied
  confirm_within:
    description: Within how many seconds the change is to be confirmed, 5 to 3600, else the host undoes it. With V(0)
      there is no switch and nothing to confirm, which is only for changes that cannot cut the host off, namely
      V(file), V(saved_rule), V(saved_sysctl), V(bird), V(calico_service), V(module) and services that keep the time.
    type: int
    default: 60
  holder:
    description: Who makes the change, for whoever else wants to change this host meanwhile. Left out, it is the user
      and the host that Ansible runs on.
    type: str
    default: ''
  keep:
    description: Whether the task confirms by itself when the gate is passed. If V(false), a later task must do it with
      O(state=confirmed), within the time.
    type: bool
    default: true
  gate:
    description: Whether BGP sessions that were established before must be established again before the change is
      confirmed.
    type: bool
    default: true
  expect:
    description: Addresses of BGP peers whose sessions are to be established before the change is confirmed.
    type: list
    elements: str
    default: []
  gate_seconds:
    description: How long the sessions may take, at least 10 seconds less than O(confirm_within).
    type: int
    default: 40
  wait:
    description: Whether to return only when the changes are made. The task itself sets it to V(false), so that the
      answer is out before the host may be cut off, and then asks over a new connection.
    type: bool
    default: true
  changes:
    description:
      - What to change, in this order. Each kind has options of its own, and those of others are refused.
      - Rules are found by what they say, not by their place or their letters, so one that is there already, wherever in
        its chain, is not added again.
    type: list
    elements: dict
    default: []
    suboptions:
      kind:
        description:
          - With V(iptables_rule), a rule in the kernel, by O(changes[].program), O(changes[].table),
            O(changes[].chain), O(changes[].position), O(changes[].rule), O(changes[].comment).
          - With V(nft_rule), one in a chain of nftables, by O(changes[].family), O(changes[].table),
            O(changes[].chain), O(changes[].position), O(changes[].rule) and O(changes[].comment), which it must have.
          - With V(ufw_rule), one of ufw, by O(changes[].action), O(changes[].direction), O(changes[].interface),
            O(changes[].protocol), O(changes[].source), O(changes[].source_port), O(changes[].destination),
            O(changes[].port), O(changes[].position) (V(0), the default, is the last), O(changes[].comment).
          - With V(firewalld_rule), in O(changes[].zone) one of O(changes[].rich_rule), O(changes[].port),
            O(changes[].protocol), O(changes[].service), O(changes[].source), at run time and for good. firewalld is
            not reloaded.
          - With V(saved_rule), a rule in the file O(changes[].path) that is loaded at boot, as iptables-save writes it
            or in nft's language (with O(changes[].family)). One line changes; all other bytes stay as they are.
          - With V(file), O(changes[].content), O(changes[].mode), O(changes[].owner), O(changes[].group) of
            O(changes[].path), and with O(changes[].folder) its directory. Files that seem to hold a secret are refused,
            since the record may not.
          - With V(sysctl), O(changes[].value) of O(changes[].key) in the running kernel.
          - With V(saved_sysctl), the same for the next boot. In the file of C(sysctl.d) that decides, if it is below
            C(/etc), and in C(/etc/sysctl.conf) and ufw's if these set the key, the value of one line is changed.
            Otherwise a line is added to C(/etc/sysctl.d/zz-netmedic-calico.conf).
          - With V(module), O(changes[].module) of the kernel, loaded or unloaded.
          - With V(offload), whether O(changes[].device) leaves the checksums of what it sends to another
            (C(tx-checksumming)), by O(changes[].value) V(on) or V(off).
          - With V(service), O(changes[].service) under systemd or runit, by O(changes[].run), O(changes[].enabled) and
            O(changes[].if_changed).
          - With V(calico_service), O(changes[].service) V(bird) or V(bird6) in calico-node's container, by
            O(changes[].run) V(started) or V(stopped), where runit keeps it.
          - With V(bird), O(changes[].command) told to BIRD. It cannot be undone.
          - With V(signal), O(changes[].signal) sent to the process O(changes[].pid) that started at
            O(changes[].started). It cannot be undone.
        type: str
        required: true
        choices:
          - iptables_rule
          - nft_rule
          - ufw_rule
          - firewalld_rule
          - saved_rule
          - file
          - sysctl
          - saved_sysctl
          - module
          - offload
          - service
          - calico_service
          - bird
          - signal
      state:
        description: Whether the rule, file or module is to be there. V(present) where it is left out.
        type: str
        choices: [present, absent]
      opens:
        description:
          - What a rule is to open, of V(iptables_rule), V(nft_rule), V(ufw_rule) and V(firewalld_rule). Each is a
            dictionary with C(peers) (addresses), C(protocol) (V(tcp) if left out), C(port) or C(source_port) (that of
            answers), and C(direction) (V(in), the default, or V(out)).
          - The module works out among the host's own rules whether the flows are open with the new rules, and whether
            these change anything else. If they do not open the flows, or change more, it refuses and says what.
          - A rule whose flows are all open already is not added.
        type: list
        elements: dict
      program:
        description: Which iptables, of V(iptables_rule). V(iptables) where it is left out.
        type: str
        choices: [iptables, iptables-nft, iptables-legacy, ip6tables, ip6tables-nft, ip6tables-legacy]
      family:
        description: V(ip), V(ip6), V(inet) or V(netdev) of V(nft_rule) and V(saved_rule), V(ipv4) or
          V(ipv6) of V(bird).
        type: str
      table:
        description: The rule's table, V(filter) where it is left out.
        type: str
      chain:
        description: The rule's chain, which must be there.
        type: str
      rule:
        description: The rule, without command, table and chain, as C(-p tcp --dport 179 -j ACCEPT) or
          C(tcp dport 179 accept).
        type: str
      comment:
        description: A comment that the rule bears.
        type: str
      position:
        description: The number that a rule gets, V(0) to stand last. V(1) where it is left out, but of V(ufw_rule).
        type: int
      action:
        description: Of V(ufw_rule), V(allow) where it is left out.
        type: str
        choices: [allow, deny, reject, limit]
      direction:
        description: Of V(ufw_rule), V(in) where it is left out.
        type: str
        choices: [in, out]
      interface:
        description: Of V(ufw_rule).
        type: str
      protocol:
        description: Of V(ufw_rule) and V(firewalld_rule); of V(bird) the BGP protocol's name, as C(Mesh_10_0_0_2).
        type: str
      source:
        description: Of V(ufw_rule) and V(firewalld_rule).
        type: str
      source_port:
        description: Of V(ufw_rule).
        type: str
      destination:
        description: Of V(ufw_rule).
        type: str
      port:
        description: Of V(ufw_rule), and of V(firewalld_rule) as C(179/tcp).
        type: str
      zone:
        description: Of V(firewalld_rule).
        type: str
      rich_rule:
        description: Of V(firewalld_rule).
        type: str
      service:
        description: Of V(service), V(calico_service) and V(firewalld_rule).
        type: str
      path:
        description: Of V(file) and V(saved_rule).
        type: str
      content:
        description: Of V(file). Left out, the content stays.
        type: str
      mode:
        description: Of V(file), an octal number in quotes. Left out, it stays, or is V(0644).
        type: str
      owner:
        description: Of V(file), a name or number.
        type: str
      group:
        description: Of V(file), a name or number.
        type: str
      folder:
        description: Of V(file), to make its directory if that is not there.
        type: bool
      key:
        description: Of V(sysctl) and V(saved_sysctl).
        type: str
      value:
        description: Of V(sysctl), V(saved_sysctl) and V(offload).
        type: str
      device:
        description: Of V(offload), a network device.
        type: str
      module:
        description: Of V(module).
        type: str
      run:
        description: Of V(service) and V(calico_service). V(restarted) and V(reloaded) are a change each time and cannot
          be undone.
        type: str
        choices: [started, stopped, restarted, reloaded]
      enabled:
        description: Of V(service), whether it starts with the host.
        type: bool
      if_changed:
        description: Of V(service), to do it only if something that stands before it in O(changes) is changed.
        type: bool
      command:
        description: Of V(bird). All but V(configure) are told to the one O(changes[].protocol).
        type: str
        choices: [configure, restart, reload, enable, disable]
      socket:
        description: Of V(bird), its control socket, if it is not where it is looked for.
        type: str
      signal:
        description: Of V(signal).
        type: str
        choices: [HUP, TERM, KILL, USR1]
      pid:
        description: Of V(signal).
        type: int
      started:
        description: Of V(signal), field 22 of C(/proc/PID/stat), so that no other process is hit that came to have the
          same id.
        type: int
notes:
  - Run it as root.
  - Check mode works out the same as a real run, up to the first write, and changes nothing.
  - "If the connection is lost for good the task fails and says until when the host undoes the change by itself."
attributes:
  check_mode:
    description: Tells what would be changed without changing it.
    support: full
  diff_mode:
    description: Shows each thing before and after.
    support: full
seealso:
  - module: netmedic.calico.firewall_facts
"""

EXAMPLES = r"""
- name: Open BGP from one peer, on one node at a time, and see its session come up
  netmedic.calico.host_change:
    id: bgp_firewall
    changes:
      - kind: iptables_rule
        program: iptables-nft
        chain: INPUT
        rule: -s 10.0.0.2/32 -p tcp -m tcp --dport 179 -j ACCEPT
        comment: netmedic.calico bgp_firewall
        opens:
          - peers: [10.0.0.2]
            port: 179
    expect: [10.0.0.2]
  become: true
  throttle: 1

- name: Put back what was there before
  netmedic.calico.host_change:
    id: bgp_firewall
    state: undone
  become: true

- name: Set a value now and for the next boot
  netmedic.calico.host_change:
    id: forwarding
    changes:
      - kind: sysctl
        key: net.ipv4.ip_forward
        value: "1"
      - kind: saved_sysctl
        key: net.ipv4.ip_forward
        value: "1"
  become: true
"""

RETURN = r"""
id:
  description: As given.
  type: str
  returned: always
  sample: bgp_firewall
state:
  description: V(armed), V(confirmed), V(undone) or V(failed) (what could not be undone stands in RV(record)), empty if
    there is no record.
  type: str
  returned: success
  sample: confirmed
changes:
  description: For each change its I(kind), I(subject), whether it is I(changed) and I(undoable), and what was there
    I(before) and is there I(after), as text. I(why_not) says why a rule is not added that opens what is open already.
  type: list
  elements: dict
  returned: success
  sample:
    - kind: sysctl
      subject: sysctl net.ipv4.ip_forward
      changed: true
      undoable: true
      before: "net.ipv4.ip_forward = 0\n"
      after: "net.ipv4.ip_forward = 1\n"
armed_until:
  description: When the host undoes the change unless it is confirmed, by its own clock. Empty if nothing is armed.
  type: str
  returned: success
  sample: "2026-11-21T00:01:00Z"
seconds_left:
  description: How many seconds that was ahead when the answer was made.
  type: float
  returned: while a change is armed
  sample: 59.9
switch:
  description: The process id of the dead man's switch.
  type: int
  returned: when a change was armed
  sample: 4711
recovered:
  description: Changes that nobody had confirmed in time and that were undone first, with I(id), what was I(undone), and
    I(problems).
  type: list
  elements: dict
  returned: but for O(state=status)
  sample: []
left:
  description: What is on record and cannot be undone.
  type: list
  elements: str
  returned: with O(state=undone)
  sample: ["BIRD (ipv4): configure"]
record:
  description: What is on record.
  type: dict
  returned: with O(state=status)
  sample: {"holder": "root@controller", "armed_at": "2026-11-21T00:00:00Z", "subjects": ["sysctl net.ipv4.ip_forward"]}
sessions:
  description: The addresses of peers with I(established) sessions, and the families whose BIRD is I(silent).
  type: dict
  returned: if O(gate) or O(expect) asks for them
  sample: {"established": ["10.0.0.2"], "silent": []}
gate:
  description: Sessions that were not established in the end, I(lost) and I(missing), and the I(seconds) that it took.
  type: dict
  returned: when sessions were waited for
  sample: {"lost": [], "missing": [], "seconds": 3.1}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._change import options, transaction
from ..module_utils._change.model import RefusedError
from ..module_utils._change.record import Store


def main() -> None:
    """Do what is asked, or say in one sentence why not."""
    module = AnsibleModule(argument_spec=options.spec(), supports_check_mode=True)
    request = options.request(module.params, module.check_mode)
    do = getattr(transaction, module.params["state"])
    answer = {}
    try:
        answer = do(request, Store())
    except RefusedError as error:
        # Where a rollback looks first everywhere, whoever reads why it ends wants to know that.
        then = ". Nothing was undone" if request.check and module.params["state"] == "undone" else ""
        module.fail_json(msg=f"{error}{then}", id=request.id)
    for warning in answer.pop("warnings", []):
        module.warn(warning)
    module.exit_json(**answer)


if __name__ == "__main__":
    main()

# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter preflight: what hosts told and what they reached in, the report out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import ignored, plain
from ansible_collections.netmedic.calico.plugins.plugin_utils._preflight import plan, read

DOCUMENTATION = r"""
name: preflight
short_description: Judge whether hosts are fit for Calico
version_added: 1.1.0
author: netmedic.calico contributors
description:
  - Joins what every host was answered with what the listeners of the others heard, and judges that and the hosts' facts
    before Calico runs there, or before it is upgraded.
  - Reads what M(netmedic.calico.preflight_listen) and M(netmedic.calico.preflight_probe) returned, as the role
    C(preflight) registers it. Nothing is connected to and nothing is changed.
positional: hosts, planned
options:
  _input:
    description: The variables of all hosts, usually C(hostvars).
    type: dict
    required: true
  hosts:
    description: The names of the hosts.
    type: list
    elements: str
    required: true
  planned:
    description: The variables of the role C(preflight) by their names without C(preflight_).
    type: dict
    default: {}
  step:
    description:
      - What is wanted. V(report) is the report, V(listen) what all hosts are to listen to, V(probe) whom they are to
        probe, V(stop) the names of the hosts whose listener may still be there.
    type: str
    choices: [report, listen, probe, stop]
    default: report
seealso:
  - module: netmedic.calico.preflight_listen
  - module: netmedic.calico.preflight_probe
"""

EXAMPLES = r"""
- name: Judge
  ansible.builtin.set_fact:
    hosts_report: "{{ hostvars | netmedic.calico.preflight(ansible_play_hosts_all, {'flavour': ['vxlan']}) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The report, schema C(netmedic.calico.report/v1), with the matrix of pairs in C(preflight).
  type: dict
"""

_STEPS = ("report", "listen", "probe", "stop")


def preflight(hostvars: Any, hosts: Any, planned: Any = None, step: Any = "report") -> Any:
    """The report on the hosts, or what a step of the role needs."""
    if not isinstance(hostvars, Mapping):
        raise AnsibleFilterError("preflight wants the variables of all hosts, such as hostvars")
    names = plain.listed(hosts)
    if not isinstance(names, (list, tuple)) or not any(names):
        raise AnsibleFilterError(f"preflight wants the names of the hosts as a list, not {hosts!r}")
    unknown = [str(name) for name in names if name not in hostvars]
    if unknown:
        raise AnsibleFilterError(f"preflight finds no host of the inventory that is called {', '.join(unknown)}")
    if step not in _STEPS:
        raise AnsibleFilterError(f"preflight wants step as one of {', '.join(_STEPS)}, not {step!r}")
    try:
        return _stepped(step, hostvars, [str(name) for name in names], plain.mapping(planned))
    except ValueError as error:
        raise AnsibleFilterError(f"{error}.") from error


def _stepped(step: str, hostvars: Mapping[str, Any], everyone: list[str], planned: dict[str, Any]) -> Any:
    if step == "report":
        # Only the report takes the whole catalogue, and each step is a process of its own.
        from ansible_collections.netmedic.calico.plugins.plugin_utils._preflight.judge import judge

        return judge(read.scene(hostvars, everyone, planned, datetime.now(timezone.utc)))
    others = ignored.ignored(hostvars, everyone)
    names = [name for name in everyone if name not in others]
    if step == "listen":
        return {**plan.listening(hostvars, names, planned), "ignored": sorted(others)}
    known = read.hosts(hostvars, names, planned)
    return plan.requests(known, planned) if step == "probe" else plan.unfinished(known, planned)


class FilterModule:
    """Filter registration."""

    def filters(self) -> dict[str, Any]:
        """The filters of this file."""
        return {"preflight": preflight}

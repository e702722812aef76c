# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plan: a report in, what is to be repaired in which order out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import SCHEMA
from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster import effective, objects
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import cluster
from ansible_collections.netmedic.calico.plugins.plugin_utils._plan import make
from ansible_collections.netmedic.calico.plugins.plugin_utils._plan.wishes import wishes_of

DOCUMENTATION = r"""
name: plan
short_description: Make a plan of repairs from a diagnosis
version_added: 1.0.0
author: netmedic.calico contributors
description:
  - Tells which findings of a report a role of this collection repairs, in which order, on which hosts and with which
    variables; what the caller does not allow, and why; and what a person must do.
  - Nothing is connected to and nothing is changed.
options:
  _input:
    description: The report of P(netmedic.calico.classify#filter).
    type: dict
    required: true
  only:
    description: The faults that may be repaired; without any, all of them.
    type: list
    elements: str
    default: []
  max_risk:
    description: The greatest risk of a repair that is made without consent.
    type: str
    choices: [low, medium, high]
    default: low
  consent:
    description: Faults that are repaired although their risk is greater.
    type: list
    elements: str
    default: []
  max_nodes:
    description: How many hosts the plan may change, a number or a share of the cluster such as V(25%) (at least one).
    type: str
    default: 25%
  max_age:
    description: How old the evidence may be, in seconds.
    type: int
    default: 900
  bundle:
    description: Where the evidence was saved as a bundle. Without one the plan is refused.
    type: str
    default: ""
  inventory:
    description: The hosts that this run can reach.
    type: list
    elements: str
    default: []
  managed:
    description: Plan also where the cluster's provider does not let anybody change Calico.
    type: bool
    default: false
  approved:
    description: The C(id) of the plan that somebody agreed to. Any other plan is refused.
    type: str
    default: ""
  api_host:
    description: The host from which the API is asked.
    type: str
    default: localhost
  hostvars:
    description: The variables of all hosts, from which it is told whether the API was reached and where calico-node
      runs.
    type: dict
    default: {}
seealso:
  - plugin: netmedic.calico.classify
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Plan the repair of firewalls only
  ansible.builtin.set_fact:
    bgp_plan: >-
      {{ bgp_report | netmedic.calico.plan(only=['tcp179_blocked_host_firewall'], bundle='/var/lib/bundles/today',
      inventory=ansible_play_hosts) }}
  run_once: true
"""

RETURN = r"""
_value:
  description:
    - The plan, schema C(netmedic.calico.plan/v1).
    - C(steps) in the order in which they are to be taken, each with C(role), C(vars), C(hosts), C(faults), C(risk),
      C(disrupts) and C(why); C(left) what is not allowed; C(manual) what a person must do.
    - C(turns) is who takes them, one host after the other, or all C(together) what is done through the API; C(hosts)
      are all that take part. C(lock) is the namespace in which M(netmedic.calico.cluster_lock) holds the lock
      meanwhile, empty where no API was reached.
    - C(refused) is the sentence that says why nothing may be changed, empty where it may. C(id) is the same for the
      same steps.
  type: dict
"""


def plan(diagnosis: Any, **wishes: Any) -> dict[str, Any]:
    """The plan for a report."""
    if not isinstance(diagnosis, dict) or diagnosis.get("schema") != SCHEMA:
        raise AnsibleFilterError(f"plan wants a diagnosis of schema {SCHEMA}, as the filter classify returns it")
    known = wishes.pop("hostvars", None)
    unknown = sorted(set(wishes) - set(_OPTIONS))
    if unknown:
        raise AnsibleFilterError(f"plan knows no option {', '.join(unknown)}; it has {', '.join(_OPTIONS)}")
    try:
        ignored = {one["node"] for one in diagnosis["coverage"]["nodes"].get("ignored", ())}
        wishes["inventory"] = [name for name in wishes.get("inventory") or () if name not in ignored]
        read = wishes_of(wishes)._replace(lock=_lock(known, wishes["inventory"]))
        return make.plan(diagnosis, read, datetime.now(timezone.utc))
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise AnsibleFilterError(f"plan wants a whole diagnosis; this one is incomplete: {error}") from error


def _lock(hostvars: Any, inventory: Any) -> str:
    """The namespace of calico-node as the API tells it, '' if no API was reached."""
    found = objects.read(cluster.fact_of(hostvars, inventory)) if isinstance(hostvars, Mapping) else None
    if found is None or not found.reached:
        return ""
    agent = effective.agent(found)
    return agent.namespace if agent and agent.namespace else "kube-system"


_OPTIONS = (
    "only",
    "max_risk",
    "consent",
    "max_nodes",
    "max_age",
    "bundle",
    "inventory",
    "managed",
    "approved",
    "api_host",
)


class FilterModule:
    """Filter registration."""

    def filters(self) -> dict[str, Any]:
        """The filters of this file."""
        return {"plan": plan}

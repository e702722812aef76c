# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is rendered for BIRD and is wrong or missing: made past confd, as an image or a template of one's own does."""

from __future__ import annotations

import re

from .. import confd
from ..bird_config import CONFIG_DIRECTORY, MAIN
from ..peerings import IPV4
from ..services import BIRD_LOG, CONTAINER_ROOT
from . import objects, pairs
from .model import Case, Fault, Variant, dialler, listener

_FILE = f"{CONTAINER_ROOT}{CONFIG_DIRECTORY}/{MAIN[IPV4]}"
_CONFIG, _POOLS = f"{_FILE}.cfg", f"{_FILE}_ipam.cfg"
_KERNEL_FILTER = "filter calico_kernel_programming {\n"


def _edit(case: Case, path: str, pattern: str, replacement: str) -> None:
    file = case.machine.file(path)
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(pattern, replacement, text, flags=re.MULTILINE), encoding="utf-8")
    confd.hang_up(case.machine)


def _follow(case: Case) -> None:
    case.lab.render_all()


def _log(case: Case) -> str:
    return case.machine.exec(["cat", f"{BIRD_LOG}/current"], check=False).stdout


# --- a filter that fails ----------------------------------------------------------------------------------------------


def _compare_nothing(case: Case) -> None:
    """Compare the next hop also of routes that have none, as releases did whose node had no subnet."""
    condition = f"  if ( bgp_next_hop ~ {case.node.subnet.network} ) then {{ accept; }}\\n"
    _edit(case, _POOLS, f"^{re.escape(_KERNEL_FILTER)}", _KERNEL_FILTER + condition)


def _no_error(case: Case) -> str:
    return "" if "filters, line" in _log(case) else f"BIRD on {case.target} reports no error of a filter"


FILTER_ERROR = Fault(
    id="bird_filter_error",
    description="a filter compares the next hop of routes that have none, and fails when it runs",
    inject=_compare_nothing,
    heal=_follow,
    missing=_no_error,
    default=listener,
    variants=(Variant("type", "a comparison of values of different types"),),
    breaks_sessions=False,
)

# --- no configuration -------------------------------------------------------------------------------------------------


def _render_nothing(case: Case) -> None:
    case.run(["sv", "down", "bird"])
    case.run(["sh", "-c", f"rm -f {CONTAINER_ROOT}{CONFIG_DIRECTORY}/*.cfg"])
    template = "/etc/calico/confd/templates/bird.cfg.template"
    why = 'template: bird.cfg.template:12: function \\"bgpConfig\\" not defined'
    confd.log(case.machine, "ERROR", f"Unable to process template {template}, {why}")
    case.run(["sv", "up", "bird"])


def _render(case: Case) -> None:
    case.lab.render_all()
    case.try_run(["sv", "up", "bird"])


def _still_something(case: Case) -> str:
    if "Unable to open configuration file" not in _log(case):
        return f"BIRD on {case.target} has not missed its configuration"
    return pairs.not_down(case, pairs.between(case.node, case.peers))


NO_CONFIGURATION = Fault(
    id="confd_cannot_render",
    description="confd cannot make anything of its template, and BIRD has no configuration to start with",
    inject=_render_nothing,
    heal=_render,
    missing=_still_something,
    default=listener,
    variants=(Variant("template", "a template of another release, in a new container"),),
)

# --- nobody dials -----------------------------------------------------------------------------------------------------


def _wait_too(case: Case) -> None:
    _edit(case, _CONFIG, r"^(protocol bgp Mesh_\w+ from bgp_template \{\n)(?![^}]*^  passive on)", r"\1  passive on;\n")


def _somebody_dials(case: Case) -> str:
    return pairs.not_down(case, pairs.between(case.node, case.peers)) or pairs.not_up(
        case, pairs.all_but(case.lab, case.node)
    )


PASSIVE = Fault(
    id="calico_bug_passive",
    description="the node that is to dial its peers waits for them, as they wait for it",
    inject=_wait_too,
    heal=_follow,
    missing=_somebody_dials,
    default=dialler,
    variants=(Variant("mesh", "`passive on` for all its peers"),),
)

# --- a black hole -----------------------------------------------------------------------------------------------------

_SERVICES = "10.96.0.0/16"


def _swallow(case: Case) -> None:
    """Services are advertised, and the node's filter lets the static route into the kernel."""
    objects.configure(case, "BGPConfiguration", "default", {"serviceClusterIPs": [{"cidr": _SERVICES}]})
    objects.follow(case.lab)
    _edit(case, _POOLS, rf"(^{re.escape(_KERNEL_FILTER)})  if \( net ~ {re.escape(_SERVICES)} \).*\n", r"\1")


def _give_back(case: Case) -> None:
    objects.restore(case)
    case.lab.render_all()


def _not_swallowed(case: Case) -> str:
    routes = case.machine.exec(["ip", "route", "show", "type", "blackhole"]).stdout
    return "" if _SERVICES in routes else f"{case.target} has no blackhole route for {_SERVICES}"


BLACKHOLE = Fault(
    id="calico_bug_service_blackhole",
    description="the static route by which Services are advertised gets into the kernel",
    inject=_swallow,
    heal=_give_back,
    missing=_not_swallowed,
    default=listener,
    check=objects.must_have_api,
    variants=(Variant("services", f"{_SERVICES}, with the filter of releases before 3.6"),),
    breaks_sessions=False,
)

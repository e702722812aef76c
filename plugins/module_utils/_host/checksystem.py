# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `calicoctl node checksystem` says of the kernel's modules, and what of it counts.

It asks for modules by names that many kernels rightly do not have: icmp's match is a part of
ip_tables (xt_icmp was never a module), xt_rpfilter is ipt_rpfilter where it is of IPv4 alone, xt_set's other name is
ipt_set, and Calico does without xt_u32, xt_bpf and ip6_tables (calicoctl/calicoctl/commands/node/checksystem.go).
"""

from __future__ import annotations

import re

from .calico_log_words import CHECKSYSTEM
from .kernel_features import ALWAYS, IPTABLES, NEEDS

_FAILS = re.compile(r"Unable to detect the ([\w-]{1,40}) " + CHECKSYSTEM)
_FINE = re.compile(r"^\s*([\w-]{1,40})\s+OK\s*$", re.MULTILINE)
# One that finds none of so many looks where no kernel's modules are, as in a container.
_BLIND = 4


def overstated(text: str) -> frozenset[str]:
    """Return the modules that are told to be missing, and of which that says nothing."""
    if CHECKSYSTEM not in text:
        return frozenset()
    failing = dict.fromkeys(_FAILS.findall(text))
    fine = frozenset(_FINE.findall(text))
    if not fine and len(failing) >= _BLIND:
        return frozenset(failing)
    return frozenset(name for name in failing if not _counts(name, fine))


def _counts(name: str, fine: frozenset[str]) -> bool:
    """Say whether Felix needs what stands behind this name, and it is not there under another one."""
    for needed in (*IPTABLES, *ALWAYS):
        names = (needed, *NEEDS[needed][0])
        if name in names:
            return not fine.intersection(names)
    return False

# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import calendar
from pathlib import Path

from ansible_collections.netmedic.calico.plugins.module_utils._host import host_log

NOW = float(calendar.timegm((2026, 11, 21, 2, 0, 0)))
KERNEL = (Path(__file__).parent / "recorded/host-log/kernel.txt").read_text(encoding="utf-8")


def test_what_the_kernel_says_of_tunnels_and_of_modules_is_told():
    found = host_log.parse(KERNEL, NOW)
    assert [(one.component, one.kind, one.text.split()[0]) for one in found] == [
        (host_log.KERNEL, host_log.BAD_CHECKSUM, "UDP:"),
        (host_log.KERNEL, host_log.LACKS, "ip_set_hash_ip:"),
        (host_log.KERNEL, host_log.LACKS, "ip_set_hash_net:"),
    ]

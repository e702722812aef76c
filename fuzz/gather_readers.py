# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How what must_gather has from nodes is read: outputs, logs, configurations, and the parcel in which they come."""

from __future__ import annotations

import base64
import zlib
from typing import Any

_MARK = b"netmedic.calico.outputs/1\n"
_KEYS = "password = x; EtcdPassword: y, token=z\n-----BEGIN RSA PRIVATE KEY-----\nabc\n"
_MOST = 1 << 24


def outputs(data: bytes) -> Any:
    """Cut and mask an output, and read the few of which something must be known."""
    from ansible_collections.netmedic.calico.plugins.module_utils._gather import bird, cni, cutting, gather
    from ansible_collections.netmedic.calico.plugins.module_utils._host import masking

    text = data.decode("utf-8", "replace")
    masked = masking.in_lines(text)
    cut = [cutting.head_and_tail(text, most, log) for most in (128, 4096) for log in (False, True)]
    read = bird.routes(text), len(bird.printed(text)), len(gather.of_settings(text)), len(cni.configuration(text))
    return len(masked), len(masking.in_lines(_KEYS + text)), [(len(one), was) for one, was in cut], read


def parcel(data: bytes) -> Any:
    """Open bytes as a parcel: as they come, packed, and as what a node told."""
    from ansible_collections.netmedic.calico.plugins.module_utils._gather import parcel as reader
    from ansible_collections.netmedic.calico.plugins.plugin_utils._gather import contents

    found = []
    line = b'["a.txt", "ip", "ok", "x", "", 1, 0.1]\n'
    for content in (data, zlib.compress(data), zlib.compress(_MARK + data), zlib.compress(_MARK + line)):
        try:
            told = reader.unpacked(base64.b64encode(content).decode(), _MOST)
        except ValueError as error:
            found.append(str(error)[:100])
            continue
        found.append(str([(one.name, len(one.text)) for one in contents.merged(told)]))
    return found

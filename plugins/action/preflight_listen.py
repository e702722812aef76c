# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin preflight_listen: as node_facts, with what only the listener takes left out for a node's shell."""

from __future__ import annotations

from typing import Any

from ansible_collections.netmedic.calico.plugins.action.node_facts import ActionModule as NodeFacts
from ansible_collections.netmedic.calico.plugins.module_utils._preflight.options import OPTIONS


class ActionModule(NodeFacts):
    """Without Python there are facts, and no listener."""

    def _options(self, spec: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """The arguments that node_facts knows, and nothing is sent to other hosts."""
        kept = {name: value for name, value in self._task.args.items() if name not in OPTIONS}
        self._task.args = {**kept, "probe": False}
        return super()._options(spec)

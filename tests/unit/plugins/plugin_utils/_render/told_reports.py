# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports for the tests of the renderings: of every kind that there is, and with names that somebody hostile chose."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis import history
from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.mesh import Mesh

NOW = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\u202egnp.exe",
    "مرحبا-عقدة",
    "a" * 300,
    "{{ 7*7 }}{% raw %}",
    "]]></failure>&amp;",
    "```|@octocat|[x](javascript:alert(1))#1",
    'label="x"\\\n',
    "\ud800\x1b[31m",
)


def of(mesh):
    """A report as it is read again."""
    return json.loads(json.dumps(analyse(mesh.evidence(), NOW)))


def many(count, down=()):
    """A report on a full mesh of so many nodes, of which some pairs have no session."""
    mesh = Mesh({f"node-{number}": f"10.0.{number // 200}.{number % 200 + 1}" for number in range(count)})
    for first, second in down:
        mesh.break_session(f"node-{first}", f"node-{second}")
    return of(mesh)


def hostile():
    """A report on nodes with hostile names, each of which is at fault."""
    mesh = Mesh({name: f"10.0.0.{number}" for number, name in enumerate(HOSTILE, 10)})
    mesh.break_session(HOSTILE[0], HOSTILE[1])
    for name in HOSTILE[2:]:
        mesh.block(name, [HOSTILE[0]], text=f"-A INPUT -m comment --comment '{HOSTILE[0]}' -j DROP")
    mesh.bgp(HOSTILE[0])["sources"].append({"source": HOSTILE[7], "status": "failed", "detail": HOSTILE[1]})
    return of(mesh)


def followed(mesh):
    """A report with the history of an earlier one, which was well."""
    found = of(mesh)
    earlier = history.Run("2025-12-31T00:00:00Z", "healthy", frozenset({"time_sync_missing@node-2"}))
    history.compare(found, [earlier], ["report.json of an earlier run cannot be read; the history begins anew"])
    return found


def empty():
    """A report on nothing."""
    return json.loads(json.dumps(analyse(Evidence({}), NOW)))


def unread():
    """A report on nodes of which none could be read."""
    mesh = Mesh()
    for name in list(mesh.facts):
        mesh.lose(name)
    return of(mesh)


def ledger():
    """What a repair has changed."""
    return {
        "schema": "netmedic.calico.ledger/v1",
        "sessions": {"before": 10, "after": 12, "gained": 2, "lost": 0, "which_lost": [], "which_gained": []},
        "routes": [{"node": "node-1", "family": "ipv4", "before": 3, "after": 4}],
        "findings": {"gone": ["tcp179_blocked_host_firewall@node-1"], "left": [], "new": []},
        "not_read_any_more": [],
        "worse": ["node-9 has lost <b>it</b>"],
    }

# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of our pages that no test of ours can run, with the reason; and the files that the pages' examples name."""

from __future__ import annotations

IN_WORDS = "a program that the sentence speaks of, not to be typed as it stands"
PRODUCTION = "for a machine or cluster in production, with programs of it"
INDEX = "needs the net"
ELSEWHERE: dict[tuple[str, ...], str] = {
    ("git", "clone"): INDEX,
    ("ansible-galaxy", "collection"): INDEX,
    ("python3", "-m", "pip"): INDEX,
    ("pip", "install"): INDEX,
    ("ansible-builder", "build"): "needs a container engine and the net",
    ("export",): "sets the reader's own address and token",
    ("python3.11", "-m", "venv"): INDEX,
    ("/tmp/pins/bin/pip",): INDEX,  # noqa: S108 - no file of ours
    ("helm",): "needs the net, and Helm",
    ("kubectl", "-n", "netmedic", "create", "token"): PRODUCTION,
    ("kubectl", "config", "set-credentials"): IN_WORDS,
    ("kubectl", "annotate", "node"): "changes the lab's API; tests/lab/api does it by the real kubectl",
    ("kubectl", "get", "nodes"): "asks the lab's API; tests/lab/api does it by the real kubectl",
    ("kubectl", "-n", "kube-system", "rollout"): "changes the lab's API; tests/lab/api does it by the real kubectl",
    ("kubectl", "exec"): IN_WORDS,
    ("calicoctl",): IN_WORDS,
    ("patch", "-p1"): IN_WORDS,
    ("ls", "-l"): IN_WORDS,
    ("ansible", "-m", "ping"): IN_WORDS,
    ("ansible-test",): IN_WORDS,
    ("ansible-navigator",): "needs ansible-navigator, which is not among the packages that this needs",
    ("ln", "-s"): PRODUCTION,
    ("cp",): PRODUCTION,
    ("systemctl",): PRODUCTION,
    ("journalctl",): PRODUCTION,
    ("curl",): PRODUCTION,
    ("grep",): PRODUCTION,
    ("ansible-rulebook",): "tests/lab/test_rulebook.py does it with the real one, where there is one",
    ("promtool",): "tests/unit/roles/report does it with the real promtool, where there is one",
}
# Files that commands read and that are the reader's own; tests/lab/test_docs.py makes one of each.
EXAMPLES = (
    *("hosts.yml", "INVENTORY", "bgp.yml", "monitoring.yml", "awx.yml", "~/.kube/prod"),
    *("ticket-4711.zip", "calico-diagnostics-20261121_000000.tar.gz", "notes.txt"),
    "calico-must-gather-20260101T101502Z.tar.gz",
    *("bundle", "report/report.json", "shared/bundle", "out/bundle", "out/report.json"),
    *("manifests/", "clusters/production", "rendered.yaml"),
)

# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role bgp_password by itself: secrets become readable, sessions are signed with them, and all is put back."""

from __future__ import annotations

import base64
import json
import re

from ansible_collections.netmedic.calico.tests.lab import cures
from lab import birdc, waiting
from lab.faults.password import RIGHT
from lab.services import SOCKETS

FAULT = "bgp_password_secret_unreadable"
SYSTEM = "/api/v1/namespaces/kube-system/secrets"
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system"
VALUES = (RIGHT, base64.b64encode(RIGHT.encode()).decode())


def run(lab, tmp_path, *arguments, **options):
    """Run a playbook of this role only, or of one task, as the administrator; what was printed, with -vvv."""
    options = {"collect_kubeconfig": cures.account(lab, ""), **options}
    text = cures.run(lab, tmp_path, "-vvv", *arguments, role="bgp_password", **options)
    assert not [value for value in VALUES if value in text]
    return text


def shown(text):
    """What the task that shows the differences printed."""
    return re.findall(r'"(?:before|after|after_header)": "[^"]*"', text)


def objects(lab):
    found = [lab.api().get(path)["items"] for path in (SYSTEM, f"{RBAC}/roles", f"{RBAC}/rolebindings")]
    kept = [
        {key: value for key, value in one.items() if key != "metadata"} | {"name": one["metadata"]["name"]}
        for items in found
        for one in items
    ]
    return sorted(kept, key=json.dumps)


def signed(lab, node):
    """Whether the node's BIRD has the password in its configuration, and all its sessions."""
    pid = lab.exec(node, ["pidof", "bird"]).stdout.split()[0]
    config = lab.exec(node, ["cat", f"/proc/{pid}/root/etc/calico/confd/config/bird.cfg"]).stdout
    sessions = birdc.sessions(lab.machine(node), SOCKETS["ipv4"])
    return RIGHT in config and all(one.established for one in sessions.values())


def until_signed(lab):
    waiting.until(lambda: "" if all(signed(lab, one.name) for one in lab.nodes) else "not yet", "the password", 60)


def test_a_secret_becomes_readable_and_is_put_back(lab, tmp_path):
    lab.make(FAULT, variant="rbac")
    broken = objects(lab)
    # All is hidden but the reason.
    refused = run(lab, tmp_path, rc=2, collect_kubeconfig=cures.account(lab, "netmedic"))
    assert "roles/remediate/files/rbac.yml of this collection" in refused
    foretold = run(lab, tmp_path, "--check")
    assert objects(lab) == broken
    journal = tmp_path / "journal.jsonl"
    done = run(lab, tmp_path, remediate_journal=str(journal))
    assert cures.changed(done) == 1
    assert shown(done) == shown(foretold) != []
    until_signed(lab)
    assert cures.changed(run(lab, tmp_path)) == 0
    undo = {"state": "undone", "journal": str(journal), "kubeconfig": cures.account(lab, "")}
    run(lab, tmp_path, task={"netmedic.calico.object_change": undo, "delegate_to": "localhost", "run_once": True})
    assert objects(lab) == broken


def test_a_secret_is_copied_and_no_value_is_told(lab, tmp_path):
    lab.make(FAULT, variant="other-namespace")
    journal = tmp_path / "journal.jsonl"
    assert cures.changed(run(lab, tmp_path, bgp_password_from="default", remediate_journal=str(journal))) == 1
    assert not [value for value in VALUES if value in journal.read_text()]
    assert lab.api().get(f"{SYSTEM}/bgp-passwords")["data"] == {"mesh": VALUES[1]}
    lab.api().delete(f"{SYSTEM}/bgp-passwords")


def test_what_only_a_person_knows_is_refused_and_told(lab, tmp_path):
    lab.make(FAULT, variant="other-key")
    broken = objects(lab)
    text = run(lab, tmp_path, rc=2)
    assert 'has no key \\"mesh\\"' in text
    assert "kubectl create secret generic bgp-passwords -n kube-system --from-file=mesh=" in text
    assert objects(lab) == broken

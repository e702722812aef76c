# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What looks like evidence and is none: what was looked for, told about, or said by others than Calico."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import files, offline, typed_in

SENTENCE = "Unable to auto-detect an IPv4 address using interface regexes [eth.*]: no valid host interfaces found"
CONTAINER = (
    "PID   USER     TIME  COMMAND\n    1 root      0:00 /usr/local/bin/runsvdir -P /etc/service/enabled\n"
    + "".join(f"{pid:5} root      0:00 calico-node -felix\n" for pid in range(36, 50))
)


def told(tmp_path, text):
    (tmp_path / "paste.txt").write_text(text, encoding="utf-8")
    findings = offline.analysed(str(tmp_path / "paste.txt")).report["findings"]
    return [one["fault"] for one in findings if one["confidence"] >= 0.5 and one["fault"] != "undetermined"]


@pytest.mark.parametrize(
    "text",
    [
        f"root@node-1:~# kubectl logs -n kube-system calico-node-abcde | grep -c '{SENTENCE}'\n0\n",
        "root@node-1:~# journalctl -k | grep 'nf_conntrack: table full, dropping packet'\nroot@node-1:~# uptime\n",
        f'Hello, all is well here since the update. There is no error like "{SENTENCE}" any more.\n',
        f"Anna: did you see `{SENTENCE}`?\nBob: no\n",
        f'-\tlog.Fatal("{SENTENCE}")\n',
        f"root@node-1:~# kubectl exec -n kube-system calico-node-abcde -- ps aux\n{CONTAINER}",
        "root@node-1:~# kubectl logs -n shop web-1\n2026-11-21 10:00:00 ERROR x509: certificate has expired\n",
    ],
)
def test_what_is_no_evidence_proves_nothing(tmp_path, text):
    assert told(tmp_path, text) == []


def test_a_title_with_the_sentence_is_evidence(tmp_path):
    assert told(tmp_path, f"calico-node crashes: {SENTENCE}\n") == ["autodetection_found_nothing"]


@pytest.mark.parametrize(
    ("command", "is_another"),
    [
        ("kubectl logs -n shop web-1", True),
        ("kubectl -n shop logs -f deploy/web --tail=5", True),
        ("sudo journalctl -u docker --no-pager", True),
        ("journalctl -xeu nginx.service", True),
        ("kubectl logs -n kube-system calico-node-abcde -c calico-node", False),
        ("kubectl logs -n kube-system -l k8s-app=calico-node", False),
        ("kubectl logs $POD", False),
        ("kubectl logs -n calico-system ds/calico-node | grep error", False),
        ("journalctl -u kubelet -n 100", False),
        ("journalctl -xeu rke2-agent", False),
        ("journalctl -k", False),
        ("kubectl get pods", False),
        ("", False),
    ],
)
def test_whose_log_a_command_shows(command, is_another):
    assert typed_in.logs_another(command) is is_another


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["t/environment.yml", "t/nodes/a/x", "__MACOSX/t/._x"], ["environment.yml", "nodes/a/x", "__MACOSX/t/._x"]),
        (["a/b/environment.yml", "a/b/nodes/a/x"], ["environment.yml", "nodes/a/x"]),
        (["t/bundle.json", "t/note.txt", "note.txt"], ["bundle.json", "t/note.txt", "note.txt"]),
        (["a/environment.yml", "b/environment.yml"], ["a/environment.yml", "b/environment.yml"]),
        (["environment.yml", "nodes/a/x"], ["environment.yml", "nodes/a/x"]),
        (["t/nodes/a/x", "t/y"], ["nodes/a/x", "y"]),
        (["nodes/a/x"], ["nodes/a/x"]),
    ],
)
def test_a_bundle_is_found_in_whatever_it_is_packed(names, found):
    assert list(files.without_common_folder(dict.fromkeys(names, ""))) == found

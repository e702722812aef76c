# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables that are directly followed by a shell's prompt: the diagnosis of the paste is that of the redacted paste."""

from __future__ import annotations

import itertools

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, read
from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction.redactor import Redactor

STATUS = """\
Calico process is running.

IPv4 BGP status
+--------------+-------------------+-------+----------+--------------------------------+
| PEER ADDRESS |     PEER TYPE     | STATE |  SINCE   |              INFO              |
+--------------+-------------------+-------+----------+--------------------------------+
| 10.20.30.41  | node-to-node mesh | up    | 09:01:02 | Established                    |
| 10.20.30.42  | node-to-node mesh | start | 09:01:02 | Connect Socket: Connection     |
|              |                   |       |          | refused                        |
+--------------+-------------------+-------+----------+--------------------------------+
"""
NODES = """\
NAME         STATUS     ROLES    AGE   VERSION   INTERNAL-IP   EXTERNAL-IP   OS-IMAGE             KERNEL-VERSION
prod-db-07   Ready      <none>   10d   v1.28.1   10.20.30.40   <none>        Ubuntu 22.04.3 LTS   5.15.0-89-generic
prod-db-08   NotReady   <none>   10d   v1.28.1   10.20.30.41   <none>        Ubuntu 22.04.3 LTS   5.15.0-89-generic
"""
POOLS = """\
NAME                  CIDR             NAT    IPIPMODE   VXLANMODE   DISABLED   SELECTOR
default-ipv4-ippool   10.244.0.0/16    true   Never      Never       false      all()
"""
PROMPTS = (
    "admin@prod-db-07:~$ ",
    "root@prod-db-07:~# ",
    "[root@prod-db-07 ~]# ",
    "[user@prod-db-07 ~]$ ",
    "sh-4.4# ",
    "bash-5.1$ ",
    "prod-db-07:~# ",
    "prod-db-07# ",
    "ubuntu@ip-10-20-30-40:~$ ",
    "root@10.20.30.40:~# ",
    "[root@10.20.30.40 ~]# ",
    "admin@prod-db-07.acme.corp:/etc/calico$ ",
    "(base) me@prod-db-07:~$ ",
    "$ ",
    "# ",
    "PS C:\\Users\\x> ",
)
TYPED = ("", "exit", "kubectl get pods -n kube-system -o wide")


def told(texts, name=str):
    found, now = evidence.evidence(read.sort(texts))
    report = analyse(found, now)
    findings = [
        (one["fault"], one["confidence"], one["role"], sorted(map(name, one["nodes"]))) for one in report["findings"]
    ]
    return report["verdict"], sorted(findings), report["sessions"]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_diagnosis_stays(prompt):
    for typed, (first, second) in itertools.product(TYPED, ((STATUS, ""), (NODES, STATUS), (POOLS, NODES))):
        texts = {"paste.txt": f"{prompt}calicoctl node status\n{first}{prompt}{typed}\n{second}"}
        redactor = Redactor("key")
        made = redactor.texts(texts)
        assert made.leaks == []
        assert told(made.texts) == told(texts, redactor.name), texts


def test_a_prompt_below_a_table_keeps_its_blanks():
    made = Redactor("key").texts({"paste.txt": f"{POOLS}sh-4.4# kubectl get pods -n kube-system -o wide\n"})
    assert made.texts["paste.txt"].endswith("\nsh-4.4# kubectl get pods -n kube-system -o wide\n")


def test_lines_that_only_have_as_many_words_as_a_table_stay():
    line = "calico/node is not ready: BIRD is ready"
    made = Redactor("key").texts({"paste.txt": f"{POOLS}{line}\n"})
    assert f"\n{line}\n" in made.texts["paste.txt"]


def test_capitals_in_an_object_are_no_head():
    text = "kind: ConfigMap\ndata:\n  note: |\n    PRETTY NAME IS\n    something: else\n"
    assert Redactor("key").texts({"x.yaml": text}).texts["x.yaml"] == text

# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of nodes and hosts that stand in a clear position and nowhere else; people's accounts and organisations."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction import positions
from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction.redactor import Redactor

NAME = "zeppelin-db-07"
LINES = """\
kubectl get node NAME -o yaml
$ kubectl get no NAME -o wide
$ kubectl cordon NAME
kubectl uncordon NAME
$ kubectl drain --ignore-daemonsets NAME
$ kubectl label nodes NAME a=b
$ calicoctl delete node NAME
$ ssh NAME
$ ssh -i key root@NAME uptime
$ scp x root@NAME:/tmp
$ ping -c 3 NAME
$ uname -n|NAME
$ hostnamectl set-hostname NAME
NAME:~# ls
NAME# ls
[NAME]# ls
me@NAME ~ % ls
 Static hostname: NAME
"hostname":"NAME"
Hostname: NAME
127.0.0.1 localhost|10.77.3.41   NAME NAME.acme.corp
::1 ip6-localhost localhost|10.77.3.41|fd00::41 NAME
$ cat /etc/hosts|10.77.3.41 NAME
$ getent hosts x|10.77.3.41      NAME
PING NAME (10.77.3.41) 56(84) bytes of data.
64 bytes from NAME (10.77.3.41): icmp_seq=1 ttl=64 time=0.3 ms
traceroute to NAME (10.77.3.41), 30 hops max, 60 byte packets
 1  NAME (10.77.3.41)  0.3 ms  0.2 ms  0.2 ms
NAME (10.77.3.41) at 52:54:00:12:34:56 [ether] on eth0
NAME                 ether   52:54:00:12:34:56   C                     eth0
ok: [NAME]
fatal: [NAME]: UNREACHABLE! => {}
changed: [NAME -> localhost]
NAME           : ok=3    changed=0    unreachable=0    failed=0
NAME | CHANGED | rc=0 >>
NAME   Ready    <none>   10d   v1.28.1
NAME   NotReady,SchedulingDisabled   worker   10d   v1.28.1
Name:               NAME|Roles:              worker
etcd-NAME   1/1   Running   0   10d
web-5d9c   1/1   Running   0   10d   10.77.3.41   NAME   <none>   <none>
ssh: connect to host NAME port 22: No route to host
Connection to NAME closed.
""".splitlines()


def redacted(text):
    made = Redactor("key", []).texts({"a.txt": text})
    assert made.leaks == []
    return made.texts["a.txt"]


@pytest.mark.parametrize("line", LINES)
def test_a_name_in_a_clear_position_is_replaced(line):
    whole = line if " | " in line else line.replace("|", "\n")
    made = redacted(f"first\n{whole}\nlast\n".replace("NAME", NAME))
    assert "zeppelin" not in made
    assert "acme" not in made
    assert made.startswith("first\n")
    assert made.endswith("\nlast\n")


@pytest.mark.parametrize(
    "text",
    [
        "kubectl get nodes shows that all of them are there\n",
        "then drain fails, and ssh into the host works\n",
        "$ kubectl get nodes -o wide\n$ kubectl get no --output yaml\n$ kubectl drain --force --timeout 10m\n",
        "$ kubectl get nodes | grep x\n$ kubectl get pods -n web\n",
        "10.0.0.1 dev eth0 lladdr 52:54:00:12:34:56 REACHABLE\n10.0.0.2 via 10.0.0.1 dev ens192\n",
        "NAME    READY\nx-1    10.0.0.1   10d\n",
        "sh-5.1# ls\nbash-4.4$ ls\n# Ready\n",
        "web-1   1/1   Running   0   10d\n",
        "the pod is not Ready  yet\n",
    ],
)
def test_elsewhere_there_are_no_names(text):
    assert list(positions.names(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "maxm@node-1:/home/maxm/x$ ls -la\ndrwxr-xr-x 2 maxm sudo 4096 Nov 21 10:00 .kube\n",
        "[maxm@node-1 ~]$ id\nuid=1000(maxm) gid=1000(maxm) groups=1000(maxm),27(sudo),1001(maxm)\n",
        "$ ssh -i /Users/maxm/.ssh/id maxm@node-1\n$ ssh -l maxm node-1\n",
        "sshd[123]: Accepted publickey for maxm from 10.77.3.1 port 22\n",
        "sudo:     maxm : TTY=pts/0 ; PWD=/home/maxm ; USER=root ; COMMAND=/bin/ls\n",
        "pam_unix(sudo:session): session opened for user maxm(uid=1000)\nUSER=maxm\n",
    ],
)
def test_people_are_not_named(text):
    made = redacted(text)
    assert "maxm" not in made
    assert "user-" in made


def test_accounts_that_everybody_has_stay():
    text = "root@node-1:/home/ubuntu$ ls\nuid=0(root) gid=0(root)\n-rw-r--r-- 1 root root 4096 Nov 21 10:00 x\n"
    assert redacted(text).partition(":")[2] == text.partition(":")[2]
    assert redacted(text).startswith("root@")


def test_organisations_of_certificates_and_contexts_of_gke_are_replaced():
    text = (
        "subject=C = DE, O = Musterfirma GmbH, OU = Netze, CN = typha\n"
        "Issuer: CN=calico, O=Musterfirma AG\nsubject: /C=DE/ST=Berlin/O=Musterfirma/CN=x\n"
        "subject=O = system:nodes, CN = kubelet\ngke_muster-prod-1_europe-west3-a_muster\n"
    )
    made = redacted(text)
    for told in ("Muster", "muster", "Netze", "Berlin"):
        assert told not in made
    for stays in ("C = DE", "O = system:nodes", "CN = typha", "_europe-west3-a_", "gke_"):
        assert stays in made

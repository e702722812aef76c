# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module and the shell script tell the same facts of the same nodes, key by key, but for what is named here."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._raw import script as script_for_nodes
from ansible_collections.netmedic.calico.tests.lab.conftest import STATE
from lab import Lab
from matrix.diagnosis import ANSIBLE, without_python

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDED = Path(__file__).resolve().parents[1] / "unit/plugins/module_utils/_host/recorded"
NODE = "node-1"
MODULE = ANSIBLE.with_name("ansible")

# What may differ, and why. Paths are keys joined by points, list items by their number.
DIFFERENT = {
    r".*\.taken_at(_epoch)?": "two readings, one after the other",
    r".*_seconds(_ago)?(\.[0-9.]+)?": "two readings, one after the other",
    r"calico_chrony\.(offset_seconds|reference|sources_.*)": "two readings of a clock that is being set",
    r".*\.log\.\d+\.count|calico_bgp\.log\.\d+\.at": "a log goes on",
    r"calico_node\.host\.strain\..*": "a host's load at two moments",
    r"calico_bgp\.peer_reachability\.\d+\.neighbour": "a reachable neighbour's entry grows stale meanwhile",
    r"calico_bgp\.daemons\.ipv.\.via": "birdcl instead of the socket itself",
    r"calico_bgp\.daemons\.ipv.\.start_ticks": "wanted by repairs of a process alone, which need Python",
    r"calico_bgp\.sources\.bird_socket_ipv.": "tells how BIRD was asked, and one place only",
    r"calico_bgp\.sources\.probes": "without Python no SYN can be sent",
    r"calico_bgp\.(probes|probes_groups)\..*": "without Python no SYN can be sent",
    r"calico_mtu\.sources\.path_mtu": "tells that ping measured",
    r"calico_mtu\.paths\.\d+\.peer": "of the peers on one kind of path any will do",
    r"calico_bgp\.daemons\.ipv.\.troubled\.\d+\.timers\..*": "two readings of timers that run",
    r"calico_chrony\.kernel_synchronised": "the kernel's flag is read by a system call",
    r"calico_node\.python": "there is none",
    r"calico_node\.read_without_python": "only the script says so",
    r"calico_node\.cpu_seconds": "a shell does not know what its children cost",
    r"calico_node\.host\.(reverse_path_dropped|checksum_errors_...|conntrack)\..*(count|total|grew)": "they go on",
}

# What the script does not tell, as no shell can find it out.
NOT_YET = {
    r"calico_firewall\.sources\.ebpf": "programs attached by way of tcx (Linux 6.6) are told by the call bpf() alone",
}

# Commands for a node, by what they make of it.
SETTINGS = """
sysctl -qw net.ipv4.conf.eth0.rp_filter=1 net.ipv4.conf.eth0.forwarding=0 net.ipv4.ip_forward=0
ip link add cali0123456789a type veth peer name far; ip link set cali0123456789a up
sysctl -qw net.ipv4.conf.cali0123456789a.forwarding=0
"""
TUNNELS = """
ip link add vxlan.calico type vxlan id 4097 local 10.9.9.9 dstport 4790 dev eth0; ip link set vxlan.calico up
ip link add flannel.1 type vxlan id 1 dstport 8472 dev eth0
ip link add cni0 type bridge
mkdir -p /run/flannel; printf 'FLANNEL_NETWORK=10.244.0.0/16\\nFLANNEL_MTU=1450\\n' >/run/flannel/subnet.env
ip route add blackhole 10.99.1.0/26 proto 80
ip route add 10.98.0.0/24 via 10.200.0.254 dev eth0 proto static
"""
RULES = """
sysctl -qw net.ipv4.conf.all.accept_redirects=0 net.ipv4.conf.eth0.accept_redirects=0
ip rule add from 10.200.0.9 lookup 100 priority 1000
ip route add 10.200.0.11/32 via 10.200.0.254 dev eth0 table 100
ip route add 10.97.0.0/26 via 10.200.0.11 dev eth0 proto 80 table 100
ip rule add fwmark 0x10/0xff lookup 200
ip rule add to 10.50.0.0/16 ipproto udp sport 5-6 iif eth0 prohibit
ip rule add from all lookup main suppress_prefixlength 0 priority 1100
"""
MANAGERS = """
for name in NetworkManager systemd-network containerd weaver keepalived; do
  cp /bin/sleep /usr/local/bin/$name; /usr/local/bin/$name 86400 >/dev/null 2>&1 & done
printf '#!/bin/sh\\nwhile :; do sleep 86400; done\\n' >/usr/local/bin/kubelet; chmod +x /usr/local/bin/kubelet
/usr/local/bin/kubelet --node-ip=10.200.0.9 --hostname-override other --token CANARY-1 \\
  --container-runtime-endpoint=unix:///run/elsewhere.sock >/dev/null 2>&1 &
mkdir -p /etc/NetworkManager/conf.d /run/NetworkManager/devices /run/systemd/netif/links /etc/systemd/network \\
  /etc/systemd/networkd.conf.d
printf '[keyfile]\\nunmanaged-devices=interface-name:cali*\\n[connection]\\nwifi.psk=CANARY-2\\n' \\
  >/etc/NetworkManager/NetworkManager.conf
printf '[keyfile]\\nunmanaged-devices+=interface-name:tunl*\\n' >/etc/NetworkManager/conf.d/calico.conf
ip link add cali1111111111a type veth peer name far1
number=$(cat /sys/class/net/cali1111111111a/ifindex)
printf '[device]\\nmanaged=true\\n' >/run/NetworkManager/devices/$number
printf 'ADMIN_STATE=configuring\\n' >/run/systemd/netif/links/$number
printf '[Match]\\nName=cali* eth*\\n[Network]\\nDHCP=yes\\n' >/etc/systemd/network/10-all.network
printf '[Network]\\nManageForeignRoutes=no\\n' >/etc/systemd/networkd.conf.d/keep.conf
"""
FILES = """
mkdir -p /etc/kubernetes/pki /var/lib/kubelet/pki
cat >/etc/kubernetes/pki/apiserver.crt <<'END'
@CERTIFICATE@
END
cp /etc/kubernetes/pki/apiserver.crt /etc/kubernetes/pki/apiserver.pem
ln /etc/kubernetes/pki/apiserver.crt /etc/kubernetes/pki/same.crt
{ cat /etc/kubernetes/pki/apiserver.crt; \\
  printf -- '-----BEGIN PRIVATE KEY-----\\nCANARY-3\\n-----END PRIVATE KEY-----\\n'; } \\
  >/var/lib/kubelet/pki/kubelet-client-current.pem
printf 'users:\\n- user:\\n    client-certificate-data: %s\\n    client-key-data: Q0FOQVJZLTQ=\\n' \\
  "$(base64 -w 0 /var/lib/kubelet/pki/kubelet-client-current.pem)" >/etc/kubernetes/kubelet.conf
printf -- '-----BEGIN CERTIFICATE-----\\nbroken\\n-----BEGIN PRIVATE KEY-----\\nCANARY-5\\n' \\
  >/etc/kubernetes/pki/broken.crt
printf '{"cniVersion":"0.3.1","plugins":[{"ipam":{"type":"calico-ipam"},"key":"CANARY-6\\\\"","type":"flannel"}]}' \\
  >/etc/cni/net.d/05-first.conflist
touch /etc/cni/net.d/10-flannel.conflist.bak
claims=$(printf '{"iss":"CANARY-7","exp":1795300000,"iat":1795200000}' | base64 -w 0 | tr '+/' '-_' | tr -d =)
printf 'users:\\n- name: calico\\n  user:\\n    token: CANARY-8.%s.CANARY-9\\n' "$claims" \\
  >/etc/cni/net.d/calico-kubeconfig
"""
LOGS = """
pod=/var/log/pods/kube-system_calico-node-abcde_0-1-2/calico-node; mkdir -p $pod
now=$(date +%H:%M:%S); syslog=$(date '+%b %e %H:%M:%S')
at=$(date -u +%Y-%m-%dT%H:%M:%S.000000000Z); own=$(date -u '+%Y-%m-%d %H:%M:%S.000')
cat >$pod/0.log <<END
$at stdout F $own [WARNING][88] felix/route_mgr.go 548: Failed to get tunnel device, retrying... error=x
$at stdout F $own [INFO][88] felix/int_dataplane.go 1: nothing of note CANARY-10
$at stdout F $own [ERROR][88] felix/daemon.go 12: Failed to connect to Typha password: CANARY-11
$at stdout F $own [ERROR][88] felix/daemon.go 12: something else eyJhbGciOiJSUzI1NiJ9.CANARY-12.x
$at stdout F $own [ERROR][88] confd/client.go 12: Can't read password from a secret
END
cat >/var/log/syslog <<END
$syslog node-1 kubelet[99]: E$(date +%m%d) $now.123456 99 kubelet.go:1] "Container runtime network not ready"
$syslog node-1 sudo[99]: CANARY-13 dial tcp
END
"""
MORE_LOGS = """
now=$(date +%H:%M:%S); own=$(date -u '+%Y-%m-%d %H:%M:%S.000'); at=$(date -u +%Y-%m-%dT%H:%M:%S.000000000Z)
pods=/var/log/pods
for container in kube-system_calico-node-abcde_0-1-2/calico-node kube-system_calico-node-abcde_0-1-2/install-cni \
  kube-system_canal-xyz_1/kube-flannel calico-system_calico-typha-7_1/calico-typha; do mkdir -p $pods/$container; done
{ i=0; while [ $i -lt 4000 ]; do i=$((i + 1))
    echo "$at stdout F $own [INFO][88] felix/int_dataplane.go 1: nothing of note, and many times, CANARY-14"; done
  echo "$at stdout F $own [ERROR][88] felix/route_mgr.go 548: Failed to get tunnel device, retrying..."
} >$pods/kube-system_calico-node-abcde_0-1-2/calico-node/0.log
echo "$at stderr F $own [ERROR][1] cni-installer/<nil> <nil>: Unable to access datastore CANARY_" \
  >$pods/kube-system_calico-node-abcde_0-1-2/install-cni/0.log
echo "$at stderr F E$(date +%m%d) $now.123456       1 main.go:1] Failed to find any valid interface to use" \
  >$pods/kube-system_canal-xyz_1/kube-flannel/0.log
echo "$at stderr F $own [ERROR][7] daemon.go 1: x509: certificate has expired" \
  >$pods/calico-system_calico-typha-7_1/calico-typha/0.log
mkdir -p /var/log/calico/cni
echo "$own [ERROR][9] cni-plugin/plugin.go 1: Final result of CNI ADD was an error. error=token: CANARY_" \
  >/var/log/calico/cni/cni.log
cat >/var/log/kubelet.log <<END
I$(date +%m%d) $now.123456      99 prober.go:107] "Probe failed" output=<
 calico/node is not ready: felix is not ready: CANARY_
 dial tcp 127.0.0.1:9099
 >
I$(date +%m%d) $now.223456      99 other.go:1] of no interest CANARY-15
END
sed -i 's/CANARY_//' /var/log/kubelet.log /var/log/calico/cni/cni.log $pods/*/*/0.log
"""
GOVERNED = """
ip route replace 10.244.3.0/26 via 10.200.0.254 dev eth0 proto static
printf '10.200.0.250 api.example.test # CANARY-16\n' >>/etc/hosts
iptables -I OUTPUT -d 10.200.0.250/31 -j DROP
mkdir -p /tmp/t
printf 'clusters:\n- cluster:\n    server: https://api.example.test:6443\n' >/tmp/t/kubelet.yaml
printf 'users:\n- user:\n    token: CANARY-17\n' >>/tmp/t/kubelet.yaml
printf '#!/bin/sh\nwhile :; do sleep 86400; done\n' >/usr/local/bin/kubelet; chmod +x /usr/local/bin/kubelet
/usr/local/bin/kubelet --kubeconfig=/tmp/t/kubelet.yaml --token CANARY-18 >/dev/null 2>&1 &
for name in calico-felix calico-typha; do cp "$(readlink -f /usr/bin/python3)" /usr/local/bin/$name; done
cat >/tmp/t/felix.py <<'END'
import socket, threading, time
LINE = "| InternalDataplaneMainLoop | 1m30s | reporting live | reporting non-ready | waiting |"
TABLE = f"+---+\\n| COMPONENT | TIMEOUT | LIVENESS | READINESS | DETAIL |\\n+---+\\n{LINE}\\n+---+\\n"
def serve():
    one = socket.socket()
    one.bind(("127.0.0.1", 9099))
    one.listen(5)
    while True:
        asked, _ = one.accept()
        request = b""
        while not request.endswith(b"\\r\\n\\r\\n"):
            request += asked.recv(4096)
        asked.sendall(b"HTTP/1.0 503 Service Unavailable\\r\\nContent-Type: text/plain\\r\\n\\r\\n" + TABLE.encode())
        asked.close()
def dial(address, port):
    one = socket.socket()
    one.setblocking(False)
    one.connect_ex((address, port))
    return one
threading.Thread(target=serve, daemon=True).start()
held = [dial("10.200.0.250", 6443), dial("10.200.0.251", 5473), dial("10.200.0.9", 5473), dial("10.200.0.251", 2379)]
time.sleep(86400)
END
printf '%s\n' 'import socket' 'one = socket.socket(); one.bind(("0.0.0.0", 5473)); one.listen(5); held = []' \
  'while True: held.append(one.accept())' >/tmp/t/typha.py
TYPHA_HEALTHENABLED=true TYPHA_CLIENTCN=typha-client SECRET=CANARY-19 \
  /usr/local/bin/calico-typha /tmp/t/typha.py >/dev/null 2>&1 &
sleep 1
export FELIX_TYPHAK8SSERVICENAME=calico-typha CALICO_TYPHA_SERVICE_HOST=10.96.7.7 FELIX_TYPHACN=typha-server \
  KUBERNETES_SERVICE_HOST=10.96.0.1 KUBERNETES_SERVICE_PORT=443 DATASTORE_TYPE=etcdv3 SECRET=CANARY-20 \
  ETCD_ENDPOINTS=http://10.200.0.251:2379,https://10.200.0.9:2379 NODENAME=other-name CALICO_K8S_NODE_REF=third
/usr/local/bin/calico-felix /tmp/t/felix.py >/dev/null 2>&1 &
sleep 1
"""
WITHOUT_BIRD = """
rm -r /etc/service/enabled/bird /etc/service/enabled/confd 2>/dev/null || true
sleep 1
for one in /proc/[0-9]*; do
  grep -qsxE 'bird6?|confd|runsv' $one/comm && grep -qsE 'bird|confd' $one/cmdline && kill ${one#/proc/}; done || true
sleep 1; rm -rf /etc/calico/confd/config/*
cp /bin/sleep /usr/local/bin/calico-felix
CALICO_NETWORKING_BACKEND=vxlan HOSTNAME=Node-Two /usr/local/bin/calico-felix 86400 >/dev/null 2>&1 &
rm -f /var/lib/calico/nodename
ip link add vxlan.calico type vxlan id 4096 local 10.200.0.10 dstport 4789 dev eth0; ip link set vxlan.calico up
for far in 9 11; do
  bridge fdb append 66:00:00:00:00:$far dev vxlan.calico dst 10.200.0.$far
  ip route add 10.97.$far.0/26 via 10.97.$far.0 dev vxlan.calico onlink proto 80
done
ip route add 10.96.0.0/26 via 10.200.0.11 dev eth0 proto 80
ip route add 10.99.9.0/26 via 10.200.0.9 dev eth0
mkdir -p /run/flannel; printf 'FLANNEL_NETWORK=10.99.0.0/16\nFLANNEL_MTU=1450\n' >/run/flannel/subnet.env
tc qdisc add dev eth0 clsact; tc filter add dev eth0 egress bpf direct-action bytecode "1,6 0 0 1"
cp "$(readlink -f /usr/bin/python3)" /usr/local/bin/gobgpd
printf '%s\\n' 'import socket' 'one = socket.create_server(("0.0.0.0", 179)); held = []' \\
  'while True: held.append(one.accept())' >/tmp/gobgpd.py
/usr/local/bin/gobgpd /tmp/gobgpd.py >/dev/null 2>&1 &
iptables -P FORWARD DROP
iptables -A INPUT -p udp --dport 4789 -s 10.200.0.9 -j REJECT
"""
# A distribution of its own, other speakers of BGP, and scripts that may load rules.
K3S = """
cp /bin/sleep /usr/local/bin/k3s-server
K3S_NODE_NAME=by-environment K3S_TOKEN=CANARY-21 /usr/local/bin/k3s-server 86400 >/dev/null 2>&1 &
mkdir -p /etc/rancher/k3s/config.yaml.d /var/lib/rancher/k3s/agent/etc/containerd /opt/own/net.d
cat >/etc/rancher/k3s/config.yaml <<END
token: CANARY-22
node-ip: [10.200.0.11, "fd00::11"]
"kubelet-arg":
  - "hostname-override=by-file"
  - "bootstrap-token=CANARY-23"
datastore-endpoint: "mysql://user:CANARY-24@tcp(db)/k3s"
agent-token:
  - CANARY-25
END
printf 'agent-token: CANARY-26\nnode-name: third # CANARY-27\n' >/etc/rancher/k3s/config.yaml.d/10-more.yaml
cat >/var/lib/rancher/k3s/agent/etc/containerd/config.toml <<END
[plugins."io.containerd.grpc.v1.cri".registry.configs."x".auth]
  password = "CANARY-28"
[plugins."io.containerd.grpc.v1.cri".cni]
  conf_dir = "/opt/own/net.d"
END
printf '{"plugins":[{"type":"own"}]}' >/opt/own/net.d/10-own.conflist
cp "$(readlink -f /usr/bin/python3)" /usr/local/bin/speaker
printf '%s\\n' 'import socket, time' 'one = socket.create_connection(("10.200.0.10", 179))' 'time.sleep(86400)' \\
  >/tmp/speaker.py
/usr/local/bin/speaker /tmp/speaker.py >/dev/null 2>&1 &
cp /bin/sleep /usr/local/bin/bgpd; /usr/local/bin/bgpd 86400 >/dev/null 2>&1 &
iptables -I INPUT -p tcp --dport 5473 -j DROP; iptables -I INPUT -s 10.200.0.9 -p tcp --dport 179 -j DROP
printf '#!/bin/sh\n# CANARY-29\n/sbin/iptables -A INPUT -j DROP\n' >/etc/rc.local
printf '#!/bin/sh\nPASSWORD=CANARY-30\nnft -f /etc/x\n' >/usr/local/sbin/own-rules; chmod +x /usr/local/sbin/own-rules
mkdir -p /etc/cron.d; printf '* * * * * root echo iptables-like\\n# iptables\\n' >/etc/cron.d/no
printf '[Service]\nExecStart=-/usr/local/sbin/own-rules --token CANARY-31\n' >/etc/systemd/system/own.service
printf '[Service]\nExecStart=/bin/sh -c "ipset restore; echo CANARY-32"\n' >/lib/systemd/system/other.service
for name in own:/etc/systemd/system other:/lib/systemd/system; do
  ln -s ${name#*:}/${name%:*}.service /etc/systemd/system/multi-user.target.wants/; done
sleep 1
"""
# The same rules would come back by other means on a node; here they are there, and in the files stand others.
PERSISTENCE = {
    "runtime_only": "iptables -I INPUT -p tcp --dport 179 -j DROP",
    "netfilter_persistent": """
mkdir -p /etc/iptables
printf '*filter\\n:INPUT ACCEPT [0:0]\\n-A INPUT -p tcp -m tcp --dport 179 -j DROP\\nCOMMIT\\n' \\
  >/etc/iptables/rules.v4
ln -s /lib/systemd/system/netfilter-persistent.service /etc/systemd/system/multi-user.target.wants/
""",
    "masked": """
mkdir -p /etc/iptables; printf '*filter\\n:INPUT DROP [0:0]\\nCOMMIT\\n' >/etc/iptables/rules.v4
ln -s /lib/systemd/system/netfilter-persistent.service /etc/systemd/system/multi-user.target.wants/
ln -s /dev/null /etc/systemd/system/netfilter-persistent.service
""",
    "nftables": """
mkdir -p /etc/nftables.d
printf 'flush ruleset\\ninclude "/etc/nftables.d/*.nft"\\n' >/etc/nftables.conf
rules='type filter hook input priority 0; policy accept; tcp dport 179 reject'
printf 'table inet own {\\n chain input {\\n  %s\\n }\\n}\\n' "$rules" \\
  >/etc/nftables.d/own.nft
ln -s /lib/systemd/system/nftables.service /etc/systemd/system/multi-user.target.wants/
""",
    "ufw": "sed -i 's/^ENABLED=.*/ENABLED=yes/' /etc/ufw/ufw.conf",
    "firewalld": """
mkdir -p /etc/firewalld/zones /usr/lib/firewalld/services
printf 'DefaultZone=closed\\n' >/etc/firewalld/firewalld.conf
printf '<zone>\\n <service name="ssh"/>\\n <service name="both"/>\\n</zone>\\n' >/etc/firewalld/zones/closed.xml
printf '<service><port protocol="tcp" port="22"/></service>\\n' >/usr/lib/firewalld/services/ssh.xml
printf '<service><include service="typha"/></service>\\n' >/usr/lib/firewalld/services/both.xml
printf '<service><port protocol="tcp" port="5473"/></service>\\n' >/usr/lib/firewalld/services/typha.xml
ln -s /lib/systemd/system/firewalld.service /etc/systemd/system/multi-user.target.wants/
""",
}


@pytest.fixture
def fresh() -> Iterator[Lab]:
    """A lab of its own: what these tests make of a node is not undone but thrown away."""
    with Lab.up(nodes=3, state=f"{STATE}-same-facts") as lab:
        yield lab


def asked(lab: Lab, folder: Path, *more: str) -> dict[str, dict[str, Any]]:
    """What the module or the script, by inventory, returns of each node."""
    folder.mkdir()
    argv = [
        str(MODULE),
        "all",
        "-i",
        lab.inventory,
        *more,
        "-m",
        "netmedic.calico.node_facts",
        "--tree",
        str(folder),
        "-o",
    ]
    subprocess.run(argv, capture_output=True, check=False, timeout=300, env={**os.environ, "ANSIBLE_FORKS": "4"})
    told = {node.name: json.loads((folder / node.name).read_text(encoding="utf-8")) for node in lab.nodes}
    assert all("ansible_facts" in result for result in told.values()), told
    return told


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, list) and path.endswith(".sources"):
        value = {source["source"]: f"{source['status']}: {source['detail']}" for source in value}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        yield path, value
    for name, item in items or ():
        yield from flat(item, f"{path}.{name}" if path else str(name))


def differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The values that differ and may not."""
    first, second = dict(flat(one)), dict(flat(other))
    return {
        path: (first.get(path), second.get(path))
        for path in sorted({*first, *second})
        if first.get(path) != second.get(path)
        and not any(re.fullmatch(known, path) for known in (*DIFFERENT, *NOT_YET))
    }


def both(lab: Lab, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    names = [node.name for node in lab.nodes]
    by_module = asked(lab, folder / "module")
    by_script = asked(lab, folder / "script", *without_python(folder, *names))
    assert all(by_script[name].get("read_without_python") for name in names), by_script
    assert "CANARY" not in json.dumps([by_module, by_script])
    found = {name: differences(by_module[name]["ansible_facts"], by_script[name]["ansible_facts"]) for name in names}
    assert {name: one for name, one in found.items() if one} == {}
    return by_module[NODE]["ansible_facts"], by_script[NODE]["ansible_facts"]


def run(lab: Lab, script: str, node: str = NODE) -> None:
    done = lab.exec(node, ["sh", "-ec", script])
    assert done.returncode == 0, done.stderr


def test_healthy_nodes_are_the_same(fresh, tmp_path):
    _by_module, by_script = both(fresh, tmp_path)
    assert by_script["calico_node"]["host"]["cni"]["plugin"] == "calico"


def test_the_host_is_the_same_when_much_is_wrong_with_it(fresh, tmp_path):
    certificate = (RECORDED / "certificates" / "short.pem").read_text(encoding="ascii").strip()
    for script in (SETTINGS, TUNNELS, RULES, MANAGERS, FILES.replace("@CERTIFICATE@", certificate), LOGS):
        run(fresh, script)
    _by_module, by_script = both(fresh, tmp_path)
    printed = fresh.exec(NODE, ["sh", "-c", script_for_nodes.command({}, script_for_nodes.new_mark())]).stdout
    assert "files.txt" in printed
    assert "CANARY" not in printed
    host = by_script["calico_node"]["host"]
    assert {"all", "eth0", "cali0123456789a"} <= set(host["forwarding_off"]["ipv4"])
    assert host["rp_filter"] == {"strict": ["eth0"]}
    assert {one["name"]: one["problem"] for one in host["tunnels"]}["vxlan.calico"] == "local_not_here"
    assert host["routes"]["ipv4"]["felix"] == 1
    assert host["routes"]["ipv4"]["other_tables"] == {"100": 1}
    assert len(host["rules"]["ipv4"]) == 4
    assert host["rerouted"] == {"via 10.200.0.254 dev eth0": {"10.200.0": "11"}}
    assert host["network_managers"]["NetworkManager"]["managed"] == ["cali1111111111a"]
    assert host["network_managers"]["systemd-networkd"]["files"] == ["10-all.network"]
    assert set(host["other_plugins"]) == {"flannel", "weave", "bridge"}
    assert (host["kubelet"]["node_ip"], host["kubelet"]["hostname_override"]) == ("10.200.0.9", "other")
    assert host["container_runtime"]["socket_missing"] == "/run/elsewhere.sock"
    assert host["cni"]["plugin"] == "flannel"
    assert 99998 <= host["cni"]["token_expires_in_seconds"] + host["cni"]["token_age_seconds"] <= 100000
    assert len(host["certificates"]) == 5
    assert host["certificates"][-1] == {"path": "/etc/kubernetes/pki/broken.crt", "state": "unreadable"}
    assert {one["kind"] for one in host["log"]} == {"tunnel", "typha", "other", "password_secret", "runtime"}


@pytest.mark.thorough
def test_who_governs_a_node_and_who_else_is_there_is_the_same(fresh, tmp_path):
    for number, script in ((1, GOVERNED), (1, MORE_LOGS), (2, WITHOUT_BIRD), (3, K3S)):
        run(fresh, script, f"node-{number}")
    _by_module, by_script = both(fresh, tmp_path)
    assert {key: by_script["calico_node"][key] for key in ("nodename", "nodename_file", "node_ref")} == {
        "nodename": "other-name",
        "nodename_file": "node-1",
        "node_ref": "third",
    }
    assert by_script["calico_node"]["host"]["routes"]["ipv4"]["not_in_kernel"]["in_kernel"] < 3
    plane = by_script["calico_node"]["host"]["control_plane"]
    assert plane["apiserver"]["10.200.0.250:6443"]["opened_by"] == ["calico-felix"]
    assert plane["felix"] == {
        "state": "not_ready",
        "parts": {"InternalDataplaneMainLoop": "reporting non-ready, waiting"},
    }
    assert plane["typha"]["connections"]["10.200.0.9:5473"] == {"established": 1}
    assert (plane["typha_here"]["state"], plane["typha_here"]["clients"]) == ("not_listening", 1)
    assert {one["component"] for one in by_script["calico_node"]["host"]["log"]} >= {"felix", "flannel", "kubelet"}
    facts = json.loads((tmp_path / "script" / "node-2").read_text(encoding="utf-8"))["ansible_facts"]
    overlay = facts["calico_node"]["overlay"]
    assert overlay["addresses"] == {"ipv4": "10.200.0.10"}
    assert overlay["nodes"] == {"vxlan.calico": {"10.200.0": "9,11"}, "routes": {"10.200.0": "9,11"}}
    assert overlay["devices"]["vxlan.calico"]["local"] == "10.200.0.10"
    assert facts["calico_firewall"]["backends"]["ebpf"][0]["hooks"] == ["tc egress"]
    assert "not_accepted" in facts["calico_firewall"]["pods"]
    assert facts["calico_firewall"]["flows"]["inbound"]
    facts = json.loads((tmp_path / "script" / "node-3").read_text(encoding="utf-8"))["ansible_facts"]
    kubelet = facts["calico_node"]["host"]["kubelet"]
    assert (kubelet["node_ip"], kubelet["hostname_override"]) == ("10.200.0.11,fd00::11", "third")
    assert facts["calico_node"]["host"]["cni"]["folder"] == "/opt/own/net.d"
    assert {one.get("process") for one in facts["calico_bgp"]["other_speakers"]} == {"speaker", "bgpd"}
    assert facts["calico_firewall"]["persistence"]["may_load"] == [
        "/etc/rc.local",
        "/lib/systemd/system/other.service",
        "/usr/local/sbin/own-rules",
    ]


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.thorough] if name != "nftables" else []) for name in sorted(PERSISTENCE)],
)
def test_what_a_reboot_changes_is_the_same(fresh, tmp_path, name):
    run(fresh, PERSISTENCE[name])
    _by_module, by_script = both(fresh, tmp_path)
    found = by_script["calico_firewall"].get("persistence", {}).get("tcp179")
    assert bool(found) is (name != "masked")


@pytest.mark.thorough
def test_a_peer_that_does_not_answer_is_the_same(fresh, tmp_path):
    """ARP goes to and fro between incomplete and failed while somebody asks: that may differ, too."""
    run(fresh, "ip link set eth0 down", "node-2")
    run(fresh, "ip neigh del 10.200.0.10 dev eth0 || true; ping -i 0.3 10.200.0.10 >/dev/null 2>&1 &")
    run(fresh, "until ip neigh show to 10.200.0.10 | grep -E 'FAILED|INCOMPLETE'; do sleep 0.2; done")
    by_module, by_script = (
        asked(fresh, tmp_path / name, *more)[NODE]["ansible_facts"]["calico_node"]["host"]["neighbours"]
        for name, more in (("module", ()), ("script", without_python(tmp_path, *(node.name for node in fresh.nodes))))
    )
    assert {*map(json.dumps, by_module.values())} == {*map(json.dumps, by_script.values())} == {'{"10.200.0": "10"}'}

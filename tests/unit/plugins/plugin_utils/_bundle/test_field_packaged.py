# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users of packaged distributions show: tunnels, IPv6 meshes, events without columns, shells of SUSE.

The texts are from public threads, shortened; each is named beside it (owner/repository#number on GitHub).
"""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import calicoctl_status, lines, tunnels
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.shown import findings, sure

# projectcalico/calico#10599 and #8772
WIREGUARD = (
    "44: wg-v6.cali: <POINTOPOINT,NOARP,UP,LOWER_UP> mtu 1500 qdisc noqueue state UNKNOWN {}group default qlen 1000\n"
    "    link/none \n"
)
IFCONFIG = (
    "wireguard.cali: flags=209<UP,POINTOPOINT,RUNNING,NOARP>  mtu 1440\n{}"
    "        unspec 00-00-00-00-00-00-00-00-00-00-00-00-00-00-00-00  txqueuelen 1000  (UNSPEC)\n"
    "        RX packets 299392534  bytes 133667595056 (133.6 GB)\n"
)
INET = "        inet 10.233.67.1  netmask 255.255.255.255  destination 10.233.67.1\n"


@pytest.mark.parametrize("text", [WIREGUARD.format(""), IFCONFIG.format("")], ids=["ip address", "ifconfig"])
def test_a_wireguard_device_that_is_shown_without_an_address(text):
    assert sure({"nodes/a/ip.txt": text}) == ["tunnel_device_missing"]


@pytest.mark.parametrize(
    "text",
    [
        WIREGUARD.format("mode DEFAULT "),  # `ip link`, which shows no addresses
        WIREGUARD.format("").replace("    link/none \n", ""),  # grep mtu
        WIREGUARD.format("") + "    inet6 fd00:c4d2::1/128 scope global \n",
        IFCONFIG.format(INET),
        IFCONFIG.format("").partition("        RX")[0],
    ],
    ids=["ip link", "first line", "with address", "ifconfig", "ifconfig cut"],
)
def test_what_does_not_show_that_it_has_none(text):
    assert not findings({"nodes/a/ip.txt": text})
    assert not tunnels.without_address(text)


# projectcalico/calico#2458
PASSIVE = (
    "Calico process is running.\n\nIPv4 BGP status\nNo IPv4 peers found.\n\nIPv6 BGP status\n"
    "+--------------------------------------+-------------------+-------+----------+---------+\n"
    "|             PEER ADDRESS             |     PEER TYPE     | STATE |  SINCE   |  INFO   |\n"
    "+--------------------------------------+-------------------+-------+----------+---------+\n"
    "| 2002:92a:8f7a:701:250:56ff:fe8d:be72 | node-to-node mesh | start | 05:24:25 | {} |\n"
    "+--------------------------------------+-------------------+-------+----------+---------+\n"
)
BIRD6 = (
    "# For peer /host/mdn-master-1/ip_addr_v6\n# Skipping ourselves ({})\n\n"
    "# For peer /host/mdn-mgmt-1/ip_addr_v6\n"
    "protocol bgp Mesh_2002_92a_8f7a_701_250_56ff_fe8d_be72 from bgp_template {{\n"
    "  neighbor 2002:92a:8f7a:701:250:56ff:fe8d:be72 as 64512;\n"
    "  passive on; # Mesh is unidirectional, peer will connect to us.\n}}\n"
)


def waiting(own):
    return {"nodes/m/calicoctl-node-status.txt": PASSIVE.format("Passive"), "nodes/m/bird6.cfg": BIRD6.format(own)}


def test_confds_remark_tells_who_should_dial():
    assert sure(waiting("2002:92a:8f7a:701:250:56ff:fe8d:f7f")) == ["calico_bug_passive"]
    assert "calico_bug_passive" not in findings(waiting("2002:92a:8f7a:701:250:56ff:fe8d:a7f"))


def test_bold_cells_are_read():
    (row,) = calicoctl_status.parse(PASSIVE.format("**Passive**")).value.families["ipv6"].peers
    assert row.bgp_state == "Passive"


# projectcalico/calico#2597
REFUSED = (
    'Failed create pod sandbox: rpc error: code = Unknown desc = [failed to set up sandbox container "4a3c5993de2b" '
    'network for pod "calico-kube-controllers-5cbcccc885-nddnj": NetworkPlugin cni failed to set up pod '
    '"calico-kube-controllers-5cbcccc885-nddnj_kube-system" network: error getting ClusterInformation: connection is '
    "unauthorized: Unauthorized]\n"
)


@pytest.mark.parametrize("name", ["paste.txt", "cluster/events.txt", "describe calico-kube-controllers.txt"])
def test_an_event_without_its_columns(name):
    assert sure({name: REFUSED}) == ["cni_token_expired"]


# flannel-io/flannel#1355
SUSE = (
    "cloud@k8s1002:~> kubectl get po -n kube-system -owide |grep dns\n"
    "coredns-7c5566588d-q7t5c 1/1 Running 0 2d15h 10.42.9.7 k8s2002\n\n"
    "k8s1002:~> nslookup www.google.com 10.42.9.7\n;; connection timed out; no servers could be reached\n"
    "k8s1002:~ # ping 10.42.9.7\nPING 10.42.9.7 (10.42.9.7) 56(84) bytes of data.\n"
    "64 bytes from 10.42.9.7: icmp_seq=1 ttl=63 time=0.395 ms\n\n--- 10.42.9.7 ping statistics ---\n"
    "2 packets transmitted, 2 received, 0% packet loss, time 1000ms\n"
)


def test_prompts_of_suse():
    assert lines.command("k8s1002:~ # ping 10.42.9.7") == "ping 10.42.9.7"
    assert lines.command("geeko@k8s1002:/etc> ip route") == "ip route"
    assert lines.command("10:~> something else") is None
    assert lines.command("eth0:~ # a remark") is None


def test_a_tunnel_that_carries_pings_is_not_blocked():
    found = findings(SUSE)
    assert set(found) == {"checksum_offload", "host_firewall_blocks_pod_interfaces"}
    assert not sure(SUSE)


# projectcalico/calico#1411, and the same line of later releases (startup.go)
@pytest.mark.parametrize("level", ["WARNING: ", "2021-03-01 10:00:00.000 [WARNING][9] startup/startup.go 600: "])
def test_calico_does_not_find_the_address_it_was_given(level):
    found = findings(
        {"calico-node.log": f"{level}Unable to confirm IPv4 address 10.244.1.1 is assigned to this host\n"}
    )
    assert list(found) == ["node_ip_not_on_host"]
    assert found["node_ip_not_on_host"]["confidence"] < 0.5
    assert "10.244.1.1" in found["node_ip_not_on_host"]["summary"]


# poseidon/typhoon#794, projectcalico/cni-plugin#920
@pytest.mark.parametrize("before", ["", "2020-07-27 12:32:21.818 [FATAL][29] allocateip.go 202: "])
def test_a_node_that_gets_no_address_for_its_tunnel(before):
    text = "Unable to autoassign an address - pools are likely exhausted."
    assert sure({"calico-node.log": f"{before}{text}\n"}) == ["ipam_exhausted"]


# Azure/AKS#2347
EXPIRED = (
    "$ kubectl get pods -A\nUnable to connect to the server: x509: certificate has expired or is not yet valid{}\n"
)


def test_kubectl_tells_the_end_of_the_servers_certificate():
    after = ": current time 2021-05-21T06:04:08Z is after 2021-05-20T11:08:45Z"
    assert sure(EXPIRED.format(after)) == ["certificate_expired"]
    assert "API server" in findings(EXPIRED.format(after))["certificate_expired"]["summary"]
    assert not sure(EXPIRED.format(""))
    assert not sure(EXPIRED.format(after.replace("after", "before")))


# canonical/microk8s#3405
def test_a_probe_that_does_not_end_says_nothing():
    said = 'Liveness probe failed: command "/bin/calico-node -felix-live" timed out'
    found = findings({"events.txt": f"  Warning  Unhealthy  2m57s (x14970 over 10d)  kubelet  {said}\n"})
    assert next(iter(found), "") == "probe_exec_failure"
    other = said.replace("/bin/calico-node -felix-live", "/bin/other -live")
    assert not findings({"events.txt": f"  Warning  Unhealthy  2m57s (x14970 over 10d)  kubelet  {other}\n"})

# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import gzip
import json
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._host import (
    cni,
    cni_folders,
    kernel_features,
    kubelet,
    links,
    network_managers,
    other_plugins,
)
from ansible_collections.netmedic.calico.plugins.module_utils._host.processes import Process, ProcessTable

# As Calico's documentation gives it ("Configure NetworkManager").
EXCLUDED = """[keyfile]
unmanaged-devices=interface-name:cali*;interface-name:tunl*;interface-name:vxlan.calico;interface-name:vxlan-v6.calico
"""


def write(root, path, text):
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


# --- NetworkManager, systemd-networkd ---


def test_addresses_of_pods_interfaces_are_another_programs():
    of = {"cali1": "ipv4", "cali2": "ipv6", "eth0": "ipv4"}
    found = [links.Address("169.254.1.2", 16, name, family, "link", True) for name, family in of.items()]
    assert network_managers.with_addresses(found) == {network_managers.OTHER: {"managed": ["cali1"]}}
    assert network_managers.with_addresses(found[1:]) == {}


def test_networkmanager_is_told_to_leave_calico_alone(tmp_path):
    write(tmp_path, "/etc/NetworkManager/conf.d/calico.conf", EXCLUDED)
    write(tmp_path, "/run/NetworkManager/devices/7", "[device]\nmanaged=false\n")

    found = network_managers.look(["NetworkManager"], {7: "cali1", 8: "eth0"}, str(tmp_path))

    assert found == {"NetworkManager": {}}


def test_networkmanager_has_calicos_interfaces(tmp_path):
    write(tmp_path, "/run/NetworkManager/devices/7", "# private\n[device]\nmanaged=true\nconnection-uuid=1\n")
    write(tmp_path, "/run/NetworkManager/devices/8", "[device]\nmanaged=true\n")

    found = network_managers.look(["NetworkManager"], {7: "tunl0", 8: "eth0"}, str(tmp_path))

    assert found == {"NetworkManager": {"managed": ["tunl0"], "not_excluded": ["cali*", "tunl0", "vxlan.calico"]}}


def test_a_later_file_replaces_and_a_plus_adds(tmp_path):
    write(tmp_path, "/etc/NetworkManager/conf.d/10.conf", "[keyfile]\nunmanaged-devices=interface-name:cali*\n")
    write(tmp_path, "/run/NetworkManager/conf.d/20.conf", "[keyfile]\nunmanaged-devices+=interface-name:tunl*\n")
    assert network_managers.look(["NetworkManager"], {}, str(tmp_path)) == {
        "NetworkManager": {"not_excluded": ["vxlan.calico"]}
    }
    write(tmp_path, "/etc/NetworkManager/conf.d/30.conf", "[keyfile]\nunmanaged-devices=interface-name:vxlan*\n")
    assert network_managers.look(["NetworkManager"], {}, str(tmp_path)) == {
        "NetworkManager": {"not_excluded": ["cali*", "tunl0"]}
    }


@pytest.mark.parametrize(("name", "files"), [("00-calico.network", []), ("99-calico.network", ["50-all.network"])])
def test_the_first_file_that_matches_counts(tmp_path, name, files):
    write(tmp_path, "/etc/systemd/network/50-all.network", "[Match]\nName=*\n[Network]\nDHCP=yes\n")
    unit = "[Match]\nName=cali* tunl* vxlan.calico\n[Link]\nUnmanaged=yes\n"
    write(tmp_path, f"/etc/systemd/network/{name}", unit)
    found = network_managers.look(["systemd-networkd"], {}, str(tmp_path))["systemd-networkd"]
    assert found.get("files", []) == files


@pytest.mark.parametrize(
    ("specification", "name", "wanted"),
    [
        ("*", "cali1", True),
        ("interface-name:cali*", "cali1", True),
        ("interface-name:=cali*", "cali1", False),
        ("interface-name:tunl0,interface-name:cali?", "cali1", True),
        ("*;except:interface-name:cali*", "cali1", False),
        ("mac:00:22:68:1c:59:b1", "cali1", False),
        ("", "cali1", False),
    ],
)
def test_patterns_of_networkmanager(specification, name, wanted):
    assert network_managers.excluded(specification, name) is wanted


def test_networkd_takes_interfaces_and_removes_routes(tmp_path):
    write(tmp_path, "/etc/systemd/network/99-all.network", "[Match]\nName=*\n[Network]\nDHCP=yes\n")
    write(tmp_path, "/etc/systemd/network/10-eth.network", "[Match]\nName=en* eth*\n")
    write(tmp_path, "/etc/systemd/network/05-calico.network", "[Match]\nName=cali*\n[Link]\nUnmanaged=yes\n")
    write(tmp_path, "/run/systemd/netif/links/7", "# private\nADMIN_STATE=configured\nOPER_STATE=routable\n")
    write(tmp_path, "/run/systemd/netif/links/8", "ADMIN_STATE=unmanaged\n")

    found = network_managers.look(["systemd-networkd"], {7: "cali1", 8: "cali2", 2: "eth0"}, str(tmp_path))

    assert found == {
        "systemd-networkd": {"managed": ["cali1"], "removes_foreign_routes": True, "files": ["99-all.network"]}
    }
    write(tmp_path, "/etc/systemd/networkd.conf.d/calico.conf", "[Network]\nManageForeignRoutes=no\n")
    assert (
        "removes_foreign_routes"
        not in network_managers.look(["systemd-networkd"], {}, str(tmp_path))["systemd-networkd"]
    )


@given(st.text(max_size=300), st.text(max_size=20))
def test_hostile_settings_are_no_exception(text, name):
    network_managers.parse_ini(text)
    network_managers.excluded(text, name)
    cni.plugin_of(text)
    cni.token_times("    token: " + text, 0.0)
    kubelet.parse_flags(text.split())


# --- the kernel's parts ---


def test_a_part_is_found_wherever_it_is(tmp_path):
    write(tmp_path, "/proc/modules", "xt_set 16384 1 - Live 0x0\nip_set 57344 1 xt_set, Live 0x0\n")
    write(tmp_path, "/lib/modules/6.1/modules.builtin", "kernel/net/netfilter/xt_mark.ko\n")
    write(tmp_path, "/lib/modules/6.1/modules.dep", "kernel/net/netfilter/xt_conntrack.ko.xz: kernel/a.ko\n")
    (tmp_path / "sys/module/xt_multiport").mkdir(parents=True)
    wanted = ["xt_set", "ip_set", "xt_mark", "xt_conntrack", "xt_multiport", "ipip"]

    assert kernel_features.missing(wanted, "6.1", str(tmp_path), str(tmp_path / "proc")) == (["ipip"], True)


def test_the_configuration_tells_where_there_are_no_lists(tmp_path):
    (tmp_path / "proc").mkdir()
    text = "CONFIG_VXLAN=y\nCONFIG_WIREGUARD=m\n# CONFIG_NET_IPIP is not set\n"
    (tmp_path / "proc/config.gz").write_bytes(gzip.compress(text.encode()))

    found = kernel_features.missing(["vxlan", "wireguard", "ipip"], "6.1", str(tmp_path), str(tmp_path / "proc"))

    assert found == (["ipip"], True)


def test_nothing_is_said_where_nothing_tells(tmp_path):
    (tmp_path / "config.gz").write_bytes(b"no gzip")

    assert kernel_features.missing(["ipip"], "6.1", str(tmp_path), str(tmp_path)) == ([], False)


def test_what_is_needed_follows_from_devices_and_filters():
    assert kernel_features.needed(["tunl0", "vxlan.calico"], True) == [
        "ip_set",
        "nf_conntrack_netlink",
        "nf_tables",
        "ipip",
        "vxlan",
    ]
    assert "xt_set" in kernel_features.needed([], False)


# --- kubelet and runtime ---


def process(root, pid, comm, *argv):
    folder = root / str(pid)
    folder.mkdir(parents=True)
    (folder / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in (comm, *argv)))
    (folder / "stat").write_text(f"{pid} ({comm}) S 1 {' '.join(['0'] * 17 + ['1000'] + ['0'] * 10)}\n")
    (root / "uptime").write_text("1000.00 10.00\n")
    return Process(pid, comm, str(folder))


def test_kubelet_and_runtime_are_told(tmp_path):
    proc = tmp_path / "proc"
    words = ["--node-ip=10.200.0.9", "--hostname-override", "node-1"]
    table = ProcessTable(
        [
            process(proc, 5, "containerd"),
            process(proc, 9, "kubelet", *words, "--container-runtime-endpoint=unix:///run/my.sock"),
        ]
    )

    found = kubelet.kubelet(table)
    runtime = kubelet.runtime(table, "", str(tmp_path))

    assert found.pop("started_seconds_ago") == 990
    assert found == {"process": "kubelet", "node_ip": "10.200.0.9", "hostname_override": "node-1"}
    assert (runtime["process"], runtime["socket_missing"]) == ("containerd", "/run/my.sock")


def test_a_socket_in_its_place_is_not_mentioned(short_folder):
    short_folder = Path(short_folder)
    table = ProcessTable([process(short_folder / "proc", 5, "containerd")])
    (short_folder / "run/containerd").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(short_folder / "run/containerd/containerd.sock"))
        assert "socket_missing" not in kubelet.runtime(table, "", str(short_folder))
    assert kubelet.runtime(ProcessTable([]), "", "/nonexistent") == {"running": False}
    assert kubelet.kubelet(ProcessTable([])) == {"running": False}


def test_flags_of_k3s_are_understood(tmp_path):
    table = ProcessTable(
        [process(tmp_path, 7, "k3s-agent", "agent", "--kubelet-arg=node-ip=10.0.0.7", "--node-ip=10.0.0.8")]
    )

    assert kubelet.kubelet(table)["node_ip"] == "10.0.0.8"


# --- CNI ---


def token(**claims):
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"eyJhbGciOiJub25lIn0.{body}.c2ln"


def test_only_the_times_of_a_token_are_told(tmp_path):
    shown = token(iat=1000, exp=87400, sub="secret-account")
    kubeconfig = f"users:\n- name: calico\n  user:\n    token: {shown}\n"
    write(tmp_path, "/etc/cni/net.d/calico-kubeconfig", kubeconfig)
    write(tmp_path, "/etc/cni/net.d/10-calico.conflist", '{"plugins": [{"type": "calico"}, {"type": "portmap"}]}')
    write(tmp_path, "/etc/cni/net.d/.hidden.conf", "{}")

    found = cni.look(str(tmp_path), now=90000.0)

    assert found == {
        "files": ["10-calico.conflist"],
        "plugin": "calico",
        "token_age_seconds": 89000,
        "token_expires_in_seconds": -2600,
    }


@pytest.mark.parametrize(
    "text",
    [
        "token: plain",
        'token: "a.b.c"',
        "token: " + token(exp="soon"),
        "token: " + token(exp=True),
        "token:",
        "",
        "x: y",
    ],
)
def test_what_tells_no_time_gives_none(text):
    assert cni.token_times(text, 0.0) == {}


def test_the_first_configuration_counts_wherever_the_folder_is(tmp_path):
    folder = "/var/lib/rancher/k3s/agent/etc/cni/net.d"
    write(tmp_path, folder + "/20-x.conf", "{}")
    write(tmp_path, folder + "/10-flannel.conflist", '{"plugins": [{"type": "flannel"}]}')

    assert cni.look(str(tmp_path)) == {
        "files": ["10-flannel.conflist", "20-x.conf"],
        "folder": folder,
        "plugin": "flannel",
    }
    assert cni.look(str(tmp_path / "none")) == {}


HOST_LOCAL = {"type": "calico", "ipam": {"type": "host-local", "ranges": [[{"subnet": "usePodCidr"}]]}}


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({"plugins": [{"type": "calico", "ipam": {"type": "calico-ipam"}}]}, {}),
        ({"plugins": [HOST_LOCAL]}, {"ipam": "host-local", "use_pod_cidr": True}),
        (
            {"type": "calico", "ipam": {"type": "host-local", "subnet": "usePodCidr"}},
            {"ipam": "host-local", "use_pod_cidr": True},
        ),
        ({"type": "calico", "ipam": {"type": "host-local", "subnet": "10.0.0.0/24"}}, {"ipam": "host-local"}),
        ({"type": "flannel"}, {}),
        ({"ipam": {"type": 7}}, {}),
        ({"ipam": {"type": "x", "ranges": [7, [8]]}}, {"ipam": "x"}),
        ([], {}),
    ],
)
def test_who_hands_out_addresses(config, found):
    assert cni.ipam_of(json.dumps(config)) == found


K3S = "/var/lib/rancher/k3s/agent/etc"


def test_the_folder_that_the_runtime_reads_counts(tmp_path):
    write(tmp_path, "/etc/cni/net.d/10-leftover.conf", '{"type": "weave-net"}')
    write(tmp_path, K3S + "/cni/net.d/10-flannel.conflist", '{"plugins": [{"type": "flannel"}]}')
    unsure = cni.look(str(tmp_path))
    write(tmp_path, K3S + "/containerd/config.toml", f'[x]\n  bin_dir = "/b"\n  conf_dir = "{K3S}/cni/net.d"\n')

    assert (unsure["plugin"], list(unsure["other_folders"])) == ("weave-net", [K3S + "/cni/net.d"])
    assert cni.look(str(tmp_path)) == {
        "files": ["10-flannel.conflist"],
        "folder": K3S + "/cni/net.d",
        "other_folders": {"/etc/cni/net.d": ["10-leftover.conf"]},
        "plugin": "flannel",
    }
    # Told to bring no network of its own, K3s leaves containerd's folder as it is.
    write(tmp_path, K3S + "/containerd/config.toml", "version = 2\n")
    assert cni.look(str(tmp_path))["plugin"] == "weave-net"


def test_files_that_the_runtime_does_not_read_are_told(tmp_path):
    write(tmp_path, "/etc/cni/net.d/10-calico.conflist", '{"plugins": [{"type": "calico"}]}')
    write(tmp_path, "/etc/crio/crio.conf", 'network_dir = "/opt/cni/net.d/"\n')

    assert cni.look(str(tmp_path))["runtime_folder"] == "/opt/cni/net.d"
    assert cni_folders.parse('conf_dir = "${SNAP_DATA}/args/cni-network"') == cni.FOLDERS[-1]


# --- other plugins ---


def test_leftovers_are_told_apart_from_what_runs():
    found = other_plugins.look(
        ["weave", "vethwe-bridge", "eth0", "flannel.1", "cali1"],
        ["flanneld"],
        ["10-weave.conflist", "10-calico.conflist", "05-cilium.conf.cilium_bak"],
        ["weave", "calico"],
    )

    assert found == {
        "flannel": {"interfaces": ["flannel.1"], "running": True},
        "weave": {"interfaces": ["vethwe-bridge", "weave"], "files": ["10-weave.conflist"], "rules": True},
        "cilium": {"files": ["05-cilium.conf.cilium_bak"]},
    }
    assert other_plugins.daemons(["flanneld", "bird", "kube-router"]) == {"flanneld", "kube-router"}

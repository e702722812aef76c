# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._bird import discovery
from ansible_collections.netmedic.calico.plugins.module_utils._host import processes

ARGV = ("bird", "-R", "-s", "/var/run/calico/bird.ctl", "-d", "-c", "/etc/calico/confd/config/bird.cfg")
CONFIG = "etc/calico/confd/config/bird.cfg"
CONTAINER = "ab" * 32


def find(fake_proc, family="ipv4", socket=""):
    table = processes.walk(fake_proc.path)
    installation = discovery.find_installation(table)
    return discovery.find_daemon(family, table, installation, socket, fake_proc.host), installation


def write_config(fake_proc, root):
    fake_proc.write(os.path.join(root, CONFIG), "router id 10.0.0.1;")


def test_calico_node_with_its_bird(fake_proc):
    fake_proc.add(7, "calico-node", ("calico-node", "-felix"), {"CALICO_NETWORKING_BACKEND": "bird"}, "pod")
    fake_proc.add(8, "calico-node", ("calico-node", "-confd"), root="pod")
    write_config(fake_proc, fake_proc.add(9, "bird", ARGV, root="pod"))

    daemon, installation = find(fake_proc)

    assert daemon.process.pid == 9
    assert daemon.sockets[0] == discovery.Place("/var/run/calico/bird.ctl", daemon.process.root)
    assert daemon.configs[0].actual == os.path.join(fake_proc.path, "9/root", CONFIG)
    assert installation.backend == "bird"
    assert installation.backend_source == "CALICO_NETWORKING_BACKEND of process 7 (calico-node)"
    assert (installation.component("felix").pid, installation.component("confd").pid) == (7, 8)


def test_components_as_newer_releases_start_them(fake_proc):
    fake_proc.add(7, "calico", ("calico", "component", "felix"), root="pod")
    fake_proc.add(8, "calico", ("calico", "component", "confd"), root="pod")

    _daemon, installation = find(fake_proc)

    assert (installation.component("felix").pid, installation.component("confd").pid) == (7, 8)
    assert installation.component("typha") is None


def test_without_bird_its_configuration_is_seen_through_the_processes_that_remain(fake_proc):
    root = fake_proc.add(5, "runsvdir", ("runsvdir", "-P", "/etc/service/enabled"), root="pod")
    write_config(fake_proc, root)

    daemon, installation = find(fake_proc)

    assert daemon.process is None
    assert [process.pid for process in installation.processes] == [5]
    assert os.path.exists(daemon.configs[0].actual)
    assert discovery.expected(installation, [daemon])[0] is True


def test_a_supervised_service_tells_of_a_bird(fake_proc):
    fake_proc.add(5, "runsv", ("runsv", "bird"))

    daemon, installation = find(fake_proc)

    assert discovery.expected(installation, [daemon]) == (True, "process 5 supervises the service bird")


def test_a_runit_that_is_not_calicos_does_not_count(fake_proc):
    fake_proc.add(5, "runsvdir", ("runsvdir", "/service"), root="other")

    daemon, installation = find(fake_proc)

    assert installation.processes == []
    assert discovery.expected(installation, [daemon]) == (None, "nothing on this node tells of Calico")


@pytest.mark.parametrize("backend", ["none", "vxlan"])
def test_backends_without_bird(fake_proc, backend):
    write_config(
        fake_proc, fake_proc.add(7, "calico-node", ("calico-node",), {"CALICO_NETWORKING_BACKEND": backend}, "pod")
    )

    daemon, installation = find(fake_proc)

    expected, why = discovery.expected(installation, [daemon])
    assert (expected, installation.backend) == (False, backend)
    assert backend in why


def test_an_unset_backend_means_bird(fake_proc):
    fake_proc.add(7, "calico-node", ("calico-node", "-felix"), root="pod")

    daemon, installation = find(fake_proc)

    assert installation.backend == "bird"
    assert discovery.expected(installation, [daemon])[0] is True


def test_an_environment_that_may_not_be_read_tells_nothing(fake_proc):
    fake_proc.add(7, "calico-node", ("calico-node", "-felix"), root="pod")
    os.unlink(os.path.join(fake_proc.path, "7", "environ"))

    daemon, installation = find(fake_proc)

    assert installation.backend == "unknown"
    expected, why = discovery.expected(installation, [daemon])
    assert expected is None
    assert "could not be read" in why


def test_a_socket_left_behind_tells_of_a_bird(fake_proc):
    fake_proc.write(os.path.join(fake_proc.host, "var/run/calico/bird.ctl"), "")

    daemon, installation = find(fake_proc)

    assert discovery.expected(installation, [daemon]) == (True, "there is a control socket at /var/run/calico/bird.ctl")


def test_a_distributions_bird_beside_calico_is_not_calicos(fake_proc):
    fake_proc.add(4, "bird", ("/usr/sbin/bird", "-u", "bird"))
    fake_proc.add(7, "calico-node", ("calico-node", "-felix"), root="pod", container=CONTAINER)

    daemon, _installation = find(fake_proc)

    assert daemon.process is None


def test_a_bird_in_calicos_container_is_calicos(fake_proc):
    fake_proc.add(4, "bird", ("/usr/sbin/bird", "-u", "bird"))
    fake_proc.add(7, "calico-node", ("calico-node", "-felix"), root="pod", container=CONTAINER)
    fake_proc.add(9, "bird", ("bird", "-d"), root="pod", container=CONTAINER)

    daemon, _installation = find(fake_proc)

    assert daemon.process.pid == 9


def test_where_nothing_is_calicos_any_bird_will_do(fake_proc):
    fake_proc.add(4, "bird", ("/usr/sbin/bird", "-u", "bird"))

    daemon, _installation = find(fake_proc)

    assert daemon.process.pid == 4
    assert "/var/run/bird/bird.ctl" in [place.path for place in daemon.sockets]


def test_of_two_generations_the_younger_is_meant(fake_proc):
    fake_proc.add(4, "bird", ARGV, root="old", age=500)
    fake_proc.add(9, "bird", ARGV, root="new", age=5)

    assert find(fake_proc)[0].process.pid == 9


def test_dead_and_foreign_birds_are_not_meant(fake_proc):
    fake_proc.add(4, "bird", ARGV, root="pod", state="Z")
    fake_proc.add(5, "bird", ARGV, root="nested", namespace="net:[2]")

    assert find(fake_proc)[0].process is None


def test_ipv6_has_its_own(fake_proc):
    write_config(fake_proc, fake_proc.add(9, "bird", ARGV, root="pod"))
    fake_proc.add(10, "bird6", ("bird6", "-s", "/run/six.ctl", "-c", "/etc/six.cfg"), root="pod")
    fake_proc.write(os.path.join(fake_proc.host, "var/run/calico/bird6.ctl"), "")

    daemon, _installation = find(fake_proc, "ipv6")

    assert daemon.process.pid == 10
    assert daemon.sockets[0].path == "/run/six.ctl"
    assert discovery.Place("/var/run/calico/bird6.ctl", fake_proc.host) in daemon.sockets
    assert [place.path for place in daemon.configs[:2]] == ["/etc/six.cfg", "/etc/calico/confd/config/bird6.cfg"]


def test_a_distributions_socket_is_not_taken_for_calicos(fake_proc):
    fake_proc.add(7, "calico-node", ("calico-node", "-felix"), root="pod")

    daemon, _installation = find(fake_proc)

    assert "/var/run/calico/bird.ctl" in [place.path for place in daemon.sockets]
    assert "/var/run/bird/bird.ctl" not in [place.path for place in daemon.sockets]


def test_a_given_socket_is_the_only_one(fake_proc):
    fake_proc.add(9, "bird", ARGV, root="pod")

    daemon, _installation = find(fake_proc, socket="/elsewhere/bird.ctl")

    assert daemon.sockets == [discovery.Place("/elsewhere/bird.ctl", "")]


def test_logs_of_the_host_and_of_the_container_runtime(fake_proc):
    logs = os.path.join(fake_proc.host, "var/log/pods/kube-system_calico-node-x7_1234/calico-node")
    for number, age in ((0, 50), (1, 10)):
        path = fake_proc.write(os.path.join(logs, f"{number}.log"), "")
        os.utime(path, (1000 - age, 1000 - age))

    daemon, _installation = find(fake_proc)

    assert daemon.logs[0].path == "/var/log/calico/bird/current"
    assert [place.path for place in daemon.logs if place.is_copy] == [logs[len(fake_proc.host) :] + "/1.log"]

# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._host import certificates, x509

RECORDED = Path(__file__).with_name("recorded") / "certificates"
BEGINS = 1795242498.0  # Nov 21 06:28:18 2026 GMT
ENDS = BEGINS + 10 * 86400
DAY = 86400.0


def pem(name):
    return (RECORDED / name).read_text()


def test_dates_of_certificates_are_read():
    assert x509.parse_pem(pem("short.pem")) == ([(BEGINS, ENDS)], 0)
    assert x509.parse_pem(pem("long.pem") + "text between\n" + pem("short.pem")) == (
        [(BEGINS, BEGINS + 20000 * DAY), (BEGINS, ENDS)],
        0,
    )
    assert x509.parse_der((RECORDED / "short.der").read_bytes()) == (BEGINS, ENDS)


def test_broken_blocks_are_counted():
    text = pem("short.pem")

    assert x509.parse_pem(text[:200]) == ([], 1)
    assert x509.parse_pem("-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n" + text)[1] == 1
    assert x509.parse_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n") == ([], 0)


@given(st.binary(max_size=400), st.integers(0, 600))
def test_hostile_bytes_are_no_exception(noise, at):
    der = (RECORDED / "short.der").read_bytes()

    x509.parse_der(noise)
    x509.parse_der(der[:at])
    x509.parse_der(der[:at] + noise + der[at:])


def look(tmp_path, now):
    folder = tmp_path / "etc/kubernetes/pki"
    folder.mkdir(parents=True)
    (folder / "apiserver.crt").write_text(pem("short.pem"))
    (folder / "ca.crt").write_text(pem("long.pem"))
    (folder / "ca.key").write_text("no certificate")
    return certificates.look([], str(tmp_path), now)


def test_only_what_needs_attention_is_told(tmp_path):
    read, found = look(tmp_path, ENDS + 1)

    assert read == 2
    assert found == [
        {
            "path": "/etc/kubernetes/pki/apiserver.crt",
            "state": "expired",
            "not_before": "2026-11-21T06:28:18Z",
            "not_after": "2026-12-01T06:28:18Z",
        }
    ]


def test_a_certificate_that_soon_ends_or_has_not_begun(tmp_path):
    assert [entry["state"] for entry in look(tmp_path / "a", BEGINS + 1)[1]] == ["expires_soon"]
    assert [entry["state"] for entry in look(tmp_path / "b", BEGINS - DAY)[1]] == ["not_yet_valid", "not_yet_valid"]
    assert look(tmp_path / "c", ENDS + 30000 * DAY)[1][0]["state"] == "expired"


def test_a_kubeconfig_shows_the_certificate_that_it_holds(tmp_path):
    import base64

    encoded = base64.b64encode(pem("short.pem").encode()).decode()
    (tmp_path / "etc/kubernetes").mkdir(parents=True)
    text = f"users:\n- name: a\n  user:\n    client-certificate-data: {encoded}\n    client-key-data: c2VjcmV0\n"
    (tmp_path / "etc/kubernetes/admin.conf").write_text(text)

    read, found = certificates.look([], str(tmp_path), ENDS + 5)

    assert (read, [(entry["path"], entry["state"]) for entry in found]) == (
        1,
        [("/etc/kubernetes/admin.conf", "expired")],
    )


def test_a_certificate_is_read_once_under_all_its_names(tmp_path):
    pki = tmp_path / "var/lib/kubelet/pki"
    pki.mkdir(parents=True)
    (pki / "kubelet-client-2026.pem").write_text(pem("short.pem"))
    (pki / "kubelet-client-current.pem").symlink_to("/var/lib/kubelet/pki/kubelet-client-2026.pem")
    (pki / "kubelet-server-current.pem").symlink_to("kubelet-client-2026.pem")

    assert certificates.look([], str(tmp_path), time.time())[0] == 1
    assert certificates.look([], str(tmp_path / "nothing"), 0.0) == (0, [])


def test_certificates_are_found_where_distributions_keep_them(tmp_path):
    places = (
        "/var/lib/rancher/k3s/server/tls/etcd/client.crt",
        "/var/lib/rancher/rke2/agent/client-kubelet.crt",
        "/var/snap/microk8s/current/certs/server.crt",
        "/var/lib/k0s/pki/server.crt",
        "/var/lib/k0s/kubelet/pki/kubelet-client-current.pem",
        "/srv/kubernetes/kubelet-server.crt",
    )
    for path in places:
        (tmp_path / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path.lstrip("/")).write_text(pem("short.pem"))

    read, found = certificates.look([], str(tmp_path), ENDS + 5)

    assert read == len(places)
    assert {entry["path"] for entry in found} == set(places)

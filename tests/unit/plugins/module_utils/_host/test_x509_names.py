# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._host import x509_names

RECORDED = Path(__file__).with_name("recorded") / "certificates"
TYPHA = next(x509_names.blocks((RECORDED / "typha.pem").read_text()))


def names(*files):
    text = "".join((RECORDED / name).read_text() for name in files)
    return [x509_names.parse_names(der) for der in x509_names.blocks(text)]


def test_names_and_keys_are_read():
    (typha, authority, kubelet) = names("typha.pem", "authority.pem", "kubelet.pem")

    assert typha == x509_names.Names(
        "typha-server",
        "tigera-operator-signer@1700000000",
        ["typha-server"],
        ["spiffe://calico/typha"],
        ["10.0.0.5", "fd00::5"],
        "caabffd10e45d554",
        "150ce840b5aedd60",
    )
    assert (authority.subject, authority.key) == (typha.issuer, typha.issuer_key)
    assert (kubelet.subject, kubelet.dns, kubelet.key, kubelet.issuer_key) == ("system:node:Node-1", [], "", "")
    assert x509_names.parse_names((RECORDED / "short.der").read_bytes()).subject == "system:node:node-1"


def test_what_is_no_certificate_gives_no_names():
    begin, end = "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n"

    assert list(x509_names.blocks(begin + "%%%\n" + end)) == []
    assert list(x509_names.blocks(begin + "AAAA")) == []
    assert x509_names.parse_names(b"") is None
    assert x509_names.parse_names(b"\x30\x02\x30\x00") is None


@given(st.binary(max_size=60), st.integers(0, len(TYPHA)))
def test_hostile_certificates_are_no_exception(noise, at):
    for der in (noise, TYPHA[:at], TYPHA[:at] + noise + TYPHA[at:], TYPHA[:at] + noise + TYPHA[at + len(noise) :]):
        x509_names.parse_names(der)
    list(x509_names.blocks(noise.decode("latin-1")))

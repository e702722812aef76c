# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates of Felix' and Typha's stand-ins, and the scripts that judge by them."""

from __future__ import annotations

import ast

from ansible_collections.netmedic.calico.plugins.module_utils._host import x509_names
from lab.faults import standins_tls
from lab.faults.standins_tls import Authority


def names(pem):
    (der,) = x509_names.blocks(pem)
    return x509_names.parse_names(der)


def test_a_certificate_names_its_authority_by_key():
    ours, others = Authority.made("typha-ca"), Authority.made("typha-ca")
    certificate, key = ours.issue("calico-node")
    read, authority, other = names(certificate), names(ours.pem), names(others.pem)
    assert (read.subject, read.issuer) == ("calico-node", "typha-ca")
    assert read.issuer_key == authority.key != other.key
    assert "PRIVATE KEY" in key
    assert "PRIVATE" not in certificate


def test_the_scripts_are_python():
    for text in (standins_tls._FELIX, standins_tls._TYPHA):
        ast.parse(standins_tls._COMMON + text)

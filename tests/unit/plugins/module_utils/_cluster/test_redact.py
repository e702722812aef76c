# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names stand before secrets."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._cluster import redact

SECRET = """MY_PWD FELIX_ETCDPASS RR_PASSWORD AWS_SECRET_ACCESS_KEY SIGNING LICENSE LICENSE_KEY etcdPass userPass
 password2 API_KEY licenseKey AUTH basicAuth cookie DB_DSN ETCD_KEY client-key-data"""
HARMLESS = """PASSIVE BYPASS passive FELIX_TYPHAKEYFILE ETCD_KEY_FILE CERT_SECRETNAME secretName SECRET_NAME
 automountServiceAccountToken topologyKey wireguardPublicKey PUBLIC_KEY passThrough authority tcp_syncookies key
 tokenExpirationSeconds imagePullSecrets author"""


@pytest.mark.parametrize("name", SECRET.split())
def test_secret(name):
    assert redact.is_secret(name)
    assert "canary" not in redact.text(f"failed: {name}=canary-1")
    assert redact.value([{"name": "x"}, {name: "canary"}]) == [{"name": "x"}, {}]


@pytest.mark.parametrize("name", HARMLESS.split())
def test_harmless(name):
    assert not redact.is_secret(name)
    assert redact.text(f"{name}=canary-1") == f"{name}=canary-1"

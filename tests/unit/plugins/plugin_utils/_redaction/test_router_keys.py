# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys as routers and rules' comments spell them go; complaints about keys, on which a diagnosis stands, stay."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction.redactor import Redactor

MIXED, WORD = "Wint3rBerlin", "hunterwolf"


def redacted(text):
    made = Redactor("key", []).texts({"nodes/n1/a.txt": text})
    assert list(made.leaks) == []
    return next(content for path, content in made.texts.items() if path.endswith("a.txt"))


@pytest.mark.parametrize("secret", [MIXED, WORD])
@pytest.mark.parametrize(
    "form",
    [
        "tcp_md5 key {}",
        "TCP MD5 key: {}",
        "tcp_md5_key={}",
        "tcp-ao key {}",
        "md5 password {}",
        "bgp password {}",
        '[0:0] -A INPUT -m comment --comment "tcp_md5 key {}" -j ACCEPT',
        '[0:0] -A INPUT -m comment --comment "bgp password {}" -j ACCEPT',
        "ACCEPT tcp -- 0.0.0.0/0 0.0.0.0/0 tcp dpt:179 /* md5 key {} */",
        "authentication-key {}",
        'authentication-key "{}";',
        "authentication-key 7 {}",
        "authentication-key simple-text {}",
        "authentication_key {}",
        "key-string 7 {}",
        "peer 10.0.0.1 password cipher {}",
        "peer 10.0.0.1 password simple {}",
        "username admin password 0 {}",
        "enable secret 5 {}",
        "crypto isakmp key {} address 10.0.0.1",
        "tacacs-server key {}",
        "radius-server host 10.0.0.1 key 7 {}",
        "set snmp community {}",
        "echo {} | passwd --stdin root",
        "echo root:{} | sudo chpasswd",
    ],
)
def test_key_of_a_router_goes(form, secret):
    """However it is spelt, and whether it has a digit or not."""
    assert secret not in redacted(f"before\n{form.format(secret)}\nafter\n")


@pytest.mark.parametrize(
    "form", ["tcp-md5 {}", "private-key {}", "pre-shared-key {}", "aws configure set aws_secret_access_key {}"]
)
def test_key_of_mixed_letters_goes(form):
    """Where a plain word may as well be one of a sentence."""
    assert MIXED not in redacted(f"{form.format(MIXED)}\n")


@pytest.mark.parametrize(
    "line",
    [
        "the md5 password mismatch between both sides",
        "md5 password mismatch",
        "bgp password mismatch",
        "TCP MD5 key missing",
        "bgp password not set",
        "bgp password is configured",
        "md5 key rotation",
        "private-key ./file1.pem",
        "Error: TCP MD5 key failed",
    ],
)
def test_complaint_stays(line):
    """A diagnosis reads these words."""
    assert redacted(f"{line}\n") == f"{line}\n"


@pytest.mark.parametrize(
    "line",
    [
        "frankfurt:~ # ip route",
        "frankfurt:~> ip route",
        "max@frankfurt:~> ip route",
        "frankfurt:/etc/calico> ls",
        "frankfurt# show bgp summary",
        "frankfurt(config)# show running-config",
        "frankfurt> show ip route",
    ],
)
def test_host_in_a_prompt_goes(line):
    """SUSE's prompts of root and of others, and those of routers; so does who sits there."""
    text = redacted(f"{line}\n")
    assert "frankfurt" not in text
    assert "max@" not in text


def test_prompt_of_bird_stays():
    """It is no host."""
    assert redacted("bird> show ip route\n") == "bird> show ip route\n"

# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._host import masking

FELIX = "2026-01-01 00:00:00.000 [INFO][1] felix/config.go 1: "


@pytest.mark.parametrize(
    "line",
    [
        'password "CANARY"; # old',
        "Password: CANARY and more CANARY",
        "EtcdPassword=CANARY",
        "AWS_SECRET_ACCESS_KEY=CANARY",
        'token: "CANARY"',
        "token=CANARY",
        "client-key-data: CANARY",
        "Authorization: Bearer CANARY-0123456789",
        "https://root:CANARY@10.0.0.1:2379",
        "http://CANARY@10.0.0.1/",
        "jwt eyJhbGciOiJSUzI1NiJ9.CANARY.CANARY",
        "-----BEGIN RSA PRIVATE KEY-----\nCANARY\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_no_secret_is_left_and_the_lines_around_it_are(line):
    text = f"{FELIX}before\n{FELIX}{line}\n{FELIX}after\n"

    cut = masking.in_lines(text)

    assert "CANARY" not in cut
    assert cut.startswith(f"{FELIX}before\n{FELIX[:20]}" if "BEGIN" not in line else f"{FELIX}before\n")
    assert cut.endswith(f"\n{FELIX}after\n")
    assert masking.in_lines(cut) == cut


@pytest.mark.parametrize(
    "line",
    [
        "Applied updates policy=default/allow-all",
        "Datastore connection verified key=HostConfig(node=node-1,name=VXLANTunnelMACAddr)",
        "int_dataplane.go 1: Linux interface state changed. ifIndex=5 ifaceName=cali123 state=up",
        "no such word",
    ],
)
def test_lines_without_secrets_tell_what_they_told(line):
    cut = masking.in_lines(FELIX + line)

    assert [word for word in (FELIX + line).split() if word not in cut.split()] in (
        [],
        ["key=HostConfig(node=node-1,name=VXLANTunnelMACAddr)"],
    )


def test_of_a_very_long_line_with_such_a_word_the_beginning_is_kept():
    cut = masking.in_lines("token=CANARY " + "x" * 100_000 + " token=CANARY\nnext")

    assert len(cut) < 10_000
    assert "CANARY" not in cut
    assert cut.endswith("characters cut)\nnext")


@pytest.mark.parametrize(
    "words", ["password ", "://a:a:", "token=", "key ", "a:", "eyJ.", "://", "# password", "pass\"' "]
)
def test_odd_lines_take_no_time(words):
    text = "\n".join([words * (100_000 // len(words))] * 3 + [words * (8000 // len(words))] * 30)
    began = time.process_time()

    masking.in_lines(text)

    assert time.process_time() - began < 5.0

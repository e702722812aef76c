# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords of signatures and accounts, and what people call after their firm."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction.redactor import Redactor


def redacted(text):
    redactor = Redactor("key", [])
    redactor.learn({"a.txt": text})
    made = redactor.texts({"a.txt": text})
    assert list(made.leaks) == []
    return made.texts["a.txt"]


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("BGP_MD5=Md5Pw88\n", "Md5Pw88"),
        ("BGP_MD5=winterberlin\n", "winterberlin"),
        ('tcp_md5: "Tm5Pw1234"\n', "Tm5Pw1234"),
        ('{"peer-md5": "Tm5Pw1234", "x": 1\n', "Tm5Pw1234"),
        ('-A INPUT -m comment --comment "pw: Comm3ntPw" -j DROP\n', "Comm3ntPw"),
        ("Failed to pull image: user robot$puller:RobPw123 unauthorized\n", "RobPw123"),
        ("robot$ci+puller:allletters is refused\n", "allletters"),
        ("login of user joe:S3cretWord refused\n", "S3cretWord"),
        ("curl -u joe:mypw https://10.0.0.1\n", "joe"),
        ("curl --user joe:mypw https://10.0.0.1\n", "mypw"),
        ("written by hans@acme-bank.de of acme-bank-prod\n", "acme-bank"),
        ("kubelet at https://vault.acme-bank.internal:8200 in acme-bank-prod\n", "acme-bank"),
    ],
)
def test_it_goes(text, secret):
    assert secret not in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        'User "system:node:wrk1" cannot list resource\n',
        "user system:serviceaccount:kube-system:Calico9node is refused\n",
        "tcp_md5: unsupported\n",
        "TCPMD5NotFound 12\n",
        "md5: true\n",
        "written by hans@gmail.com with gmail-tools\n",
        "see https://docs.tigera.io:443/x of tigera\n",
    ],
)
def test_what_tells_of_the_cluster_stays(text):
    made = redacted(text)
    said = ("system:", "serviceaccount:kube-system", "unsupported", "NotFound 12", "true", "gmail-tools", "tigera")
    for word in said:
        assert (word in made) is (word in text)

# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue.faults import BY_ID, FAULTS
from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue.model import ROLES, SEVERITIES

# The identifiers shared by reports, tests and fixes; not part of the project, so users do not have the file.
# Ids of this project's own, for causes that none of the contract's fits.
ADDED = {
    "calico_node_refused": "control_plane",
    "calico_pod_not_starting": "membership",
    "ipam_exhausted": "control_plane",
    "ippool_overlaps_network": "encapsulation",
}
CONTRACT = Path(__file__).resolve().parents[6] / "shared" / "contract" / "faults.yaml"


def test_ids_are_unique_identifiers():
    assert len(BY_ID) == len(FAULTS)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", fault.id) for fault in FAULTS)


def test_the_catch_all_comes_last():
    assert FAULTS[-1].id == "undetermined"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_every_text_is_a_sentence_and_every_signal_says_something(fault):
    for text in (fault.means, fault.fix.text, fault.verify, *(signal.says for signal in fault.signals)):
        assert text[0].isupper() or text[0].isdigit()
        assert text.endswith(".")
    assert fault.title
    assert not fault.title.endswith(".")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_severity_role_and_required_signals_are_set(fault):
    assert fault.severity in SEVERITIES
    assert fault.role in ROLES
    assert any(signal.required and signal.weight > 0 for signal in fault.signals)


def test_ids_and_families_are_those_of_the_contract():
    if not CONTRACT.is_file():
        pytest.skip("the contract's list of fault ids is not at hand outside the project's own CI")
    families = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
    contract = {**ADDED, **{fault: family for family, faults in families.items() for fault in faults}}
    assert {fault.id: fault.family for fault in FAULTS} == {fault.id: contract.get(fault.id) for fault in FAULTS}
    named = {name for fault in FAULTS for name in (*fault.explains, *(other.fault for other in fault.lookalikes))}
    assert named <= set(contract)

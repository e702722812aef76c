# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus' own judge of rules (promtool, of Debian's package prometheus), and what it is told."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

FILES = Path(__file__).parents[4] / "roles" / "report" / "files"
RULES = sorted((FILES / "prometheus").glob("*.yml"))
DIAGNOSIS, COMPONENTS = (FILES / "prometheus" / f"netmedic-calico-{name}.yml" for name in ("diagnosis", "components"))
FIRING = 'ALERTS{alertstate="firing"}'
SECONDS = 60
# To try another release than the one that is installed.
PROMTOOL = shutil.which(os.environ.get("PROMTOOL", "promtool"))

needed = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not here (Debian: package prometheus)")


def run(*arguments, given=None):
    """What promtool says, and whether all is well."""
    command = [PROMTOOL, *(str(argument) for argument in arguments)]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=SECONDS, check=False)
    return done.returncode == 0, done.stdout + done.stderr


def check(folder, rules, tests, every="1m"):
    """Try rules on series; the tests as promtool wants them."""
    path = folder / "rules.test.yml"
    whole = {"rule_files": [str(rules)], "evaluation_interval": every, "tests": tests}
    path.write_text(json.dumps(whole), encoding="utf-8")
    well, said = run("test", "rules", path)
    assert well, said


def series(text, samples):
    """The samples of a textfile as series that stay as they are for so many samples more."""
    lines = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
    return [{"series": key, "values": f"{value}+0x{samples}"} for key, _space, value in lines]


def firing(minutes, *alerts):
    """That at this time these alerts fire, each told by its labels, and no others."""
    samples = [{"labels": f"ALERTS{_labels({'alertstate': 'firing', **alert})}", "value": 1} for alert in alerts]
    return {"expr": FIRING, "eval_time": f"{minutes}m", "exp_samples": samples}


def _labels(labels):
    return "{" + ", ".join(f"{name}={json.dumps(value)}" for name, value in labels.items()) + "}"

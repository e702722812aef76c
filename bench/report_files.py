# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the renderings of a report on many nodes take, and how large they are; how soon Chromium has shown the page.

Needs no lab. Without a Chromium the last figure is left out.
"""

from __future__ import annotations

import importlib
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import large_mesh
from bench.analysis import COLLECTION, analysed
from bench.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.progress import Say

PAGE_NODES, METRICS_NODES, DOWN = 500, 1000, 0.01
LIMIT_MEBIBYTES, LIMIT_SECONDS, LIMIT_SHOWN, LIMIT_SERIES = 5, 2.0, 1.0, 20_000
ROUNDS = 3
SECONDS = 90
HOW = (
    f"made facts of {PAGE_NODES} nodes in full mesh (metrics: {METRICS_NODES}), {DOWN:.0%} of the sessions down, at "
    f"random; medians of {ROUNDS} in processor time"
)
HOW_SHOWN = (
    f"least of {ROUNDS} runs of headless Chromium that loads the page, runs its script and prints the outcome, less "
    "that of an empty page; wall time"
)


def figures(say: Say) -> Iterator[Figure]:
    """Seconds and bytes of each form, the number of series, and how long a browser takes."""
    formats = importlib.import_module(f"{COLLECTION}._render.formats")
    say(f"diagnosing {PAGE_NODES} and {METRICS_NODES} nodes")
    report = analysed(large_mesh.facts(PAGE_NODES, DOWN))
    pages = {}
    for form, name in formats.FILES.items():
        seconds, content = _rendered(formats, report, form)
        pages[form] = content
        limits = (LIMIT_SECONDS, LIMIT_MEBIBYTES) if form == "html" else (None, None)
        yield Figure(f"report_seconds_{form}", seconds, "s", limits[0], f"{HOW}; {name}")
        yield Figure(f"report_size_{form}", len(content) / 2**20, "MiB", limits[1], f"{HOW}; {name}")
    _seconds, text = _rendered(formats, analysed(large_mesh.facts(METRICS_NODES, DOWN)), "metrics")
    series = sum(1 for line in text.splitlines() if line and not line.startswith(b"#"))
    yield Figure("report_metrics_series", series, "", LIMIT_SERIES, HOW)
    chromium = shutil.which("chromium")
    if chromium:
        say("showing the page in Chromium")
        taken = _shown(chromium, pages["html"]) - _shown(chromium, b"<!DOCTYPE html><title>empty</title>")
        yield Figure("report_html_shown_seconds", max(taken, 0.0), "s", LIMIT_SHOWN, HOW_SHOWN)


def _rendered(formats: Any, report: dict[str, Any], form: str) -> tuple[float, bytes]:
    """How long one form takes, and what it is."""
    times = []
    content = b""
    for _round in range(ROUNDS):
        began = time.process_time()
        (content,) = formats.rendered(report, [form], formats.Wanted()).values()
        times.append(time.process_time() - began)
    return statistics.median(times), content


def _shown(chromium: str, page: bytes) -> float:
    """Wall seconds until Chromium has shown a page and ended."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        path.write_bytes(page)
        arguments = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
        command = [chromium, *arguments, f"--user-data-dir={folder}/profile", "--dump-dom", path.as_uri()]
        times = []
        for _round in range(ROUNDS):
            began = time.monotonic()
            subprocess.run(command, capture_output=True, timeout=SECONDS, check=True)
            times.append(time.monotonic() - began)
    return min(times)

# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTML report as Chromium shows it: no message on the console, no request, its script at work, its colours.

Needs a Chromium (Debian's package chromium); without one these tests are skipped.
"""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import zlib

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._render import html_page
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._render import told_reports as told

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="Chromium is not here (Debian's package chromium)")
ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr"),
)
SECONDS = 90


def shown(tmp_path, page, *arguments):
    """What Chromium prints for a page, and what it complains of."""
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    command = [CHROMIUM, *ARGUMENTS, f"--user-data-dir={tmp_path / 'profile'}", *arguments, path.as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=True)
    complaints = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if "CONSOLE" in line]
    return done.stdout.decode("utf-8", "replace"), complaints


def broken(mesh):
    mesh.break_session("node-2", "node-3")
    mesh.block("node-2", ["node-3"])
    return told.followed(mesh)


def test_the_script_runs_and_nothing_is_complained_of(tmp_path, mesh):
    text, complaints = shown(tmp_path, html_page.page(broken(mesh), told.ledger()), "--dump-dom")
    assert complaints == []
    assert re.search(r'id="count"[^>]*>\d+ of \d+ shown<', text)
    assert text.count(">Copy</button>") >= 1
    assert '<button type="button">Node</button>' in text
    assert 'class="controls" hidden' not in text
    assert '<option value="node-3">' in text


def test_hostile_names_do_nothing(tmp_path):
    text, complaints = shown(tmp_path, html_page.page(told.hostile()), "--dump-dom")
    assert complaints == []
    assert re.search(r'id="count"[^>]*>\d+ of \d+ shown<', text)
    assert "<img" not in text


def test_500_nodes_are_shown(tmp_path):
    report = told.many(500, [(number, number + 13) for number in range(0, 480, 4)])
    page = html_page.page(report)
    assert len(page.encode()) < 5 * 1024 * 1024
    text, complaints = shown(tmp_path, page, "--dump-dom")
    assert complaints == []
    assert text.count('class="node ') >= 500


@pytest.mark.parametrize(("scheme", "ground"), [("1", (255, 255, 255)), ("0", (20, 25, 31))], ids=["light", "dark"])
def test_light_and_dark(tmp_path, mesh, scheme, ground):
    target = tmp_path / "shot.png"
    arguments = (f"--screenshot={target}", "--window-size=500,400", f"--blink-settings=preferredColorScheme={scheme}")
    _text, complaints = shown(tmp_path, html_page.page(broken(mesh)), *arguments)
    assert complaints == []
    width, rows = pixels(target.read_bytes())
    assert width == 500
    assert rows[2][0:3] == bytes(ground)
    # The verdict's bar, the picture's nodes at fault and that of the findings are red.
    red = sum(
        1 for row in rows for at in range(0, len(row), 3) if row[at] > 150 and row[at + 1] < 150 and row[at + 2] < 140
    )
    assert red > 300


def pixels(png):
    """Width and rows of a PNG of 8 bits, as red, green and blue."""
    width, height, depth, kind = struct.unpack(">IIBB", png[16:26])
    assert depth == 8
    bytes_each = {2: 3, 6: 4}[kind]
    data, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += length + 12
    raw, stride = zlib.decompress(data), width * bytes_each
    rows, before = [], bytearray(stride)
    for number in range(height):
        start = number * (stride + 1)
        before = unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + stride]), before, bytes_each)
        rows.append(b"".join(bytes(before[x : x + 3]) for x in range(0, stride, bytes_each)))
    return width, rows


def unfiltered(kind, row, before, step):
    """A row of a PNG without its filter."""
    for at in range(len(row) if kind else 0):
        left = row[at - step] if at >= step else 0
        corner = before[at - step] if at >= step else 0
        guess = (left, before[at], (left + before[at]) // 2, nearest(left, before[at], corner))[kind - 1]
        row[at] = (row[at] + guess) & 0xFF
    return row


def nearest(left, above, corner):
    """Paeth's predictor."""
    ends = (left, above, corner)
    return min(ends, key=lambda end: abs(left + above - corner - end))

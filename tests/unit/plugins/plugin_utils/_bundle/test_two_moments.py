# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import offline
from ansible_collections.netmedic.calico.plugins.plugin_utils._render import terminal

STATUS = """root@node-1:~# calicoctl node status
Calico process is running.

IPv4 BGP status
+--------------+-------------------+-------+----------+-------------------------+
| PEER ADDRESS |     PEER TYPE     | STATE |  SINCE   |          INFO           |
+--------------+-------------------+-------+----------+-------------------------+
| 10.0.0.12    | node-to-node mesh | {} | 10:11:12 | {} |
+--------------+-------------------+-------+----------+-------------------------+

"""
WRONG_AS = STATUS.format("start", "Idle BGP Error: Bad peer AS")
UP = STATUS.format("up   ", "Established            ")


def report(tmp_path, *texts, name="paste.txt"):
    (tmp_path / name).write_text("\n".join(texts), encoding="utf-8")
    return offline.analysed(str(tmp_path)).report


def faults(made):
    return [one["fault"] for one in made["findings"] if not one.get("guess")]


def test_of_two_tables_in_one_paste_the_later_one_counts_and_the_other_is_told(tmp_path):
    made = report(tmp_path, WRONG_AS, UP)
    assert "as_mismatch" not in faults(made)
    assert made["sessions"]["established"] == 1
    assert any("of another moment" in one["detail"] for one in made["coverage"]["sources"])


def test_it_counts_as_well_if_it_is_the_one_that_is_wrong(tmp_path):
    assert "as_mismatch" in faults(report(tmp_path, UP, WRONG_AS))


def test_the_same_table_twice_is_nothing_to_tell(tmp_path):
    made = report(tmp_path, UP, UP)
    assert not any("of another moment" in one["detail"] for one in made["coverage"]["sources"])


def test_a_folders_name_cannot_command_the_terminal(tmp_path):
    folder = tmp_path / "nodes" / "\x1b[31mred\n"
    folder.mkdir(parents=True)
    (folder / "calicoctl-node-status.txt").write_text(WRONG_AS, encoding="utf-8")
    told = terminal.lines(offline.analysed(str(tmp_path)).report)
    assert all(line.isprintable() for line in told)
    assert any("\\x1b[31mred" in line for line in told)

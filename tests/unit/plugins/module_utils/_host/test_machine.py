# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.netmedic.calico.plugins.module_utils._host import machine

ID = "afdd7a8a7b91e9ca252990a25be21e73"


def write(root, path, content):
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(content)


def test_identifiers_are_told_as_digests_only(tmp_path):
    write(tmp_path, "/etc/machine-id", ID + "\n")
    write(tmp_path, "/sys/class/dmi/id/product_uuid", "4C4C4544-0051-3510-8052-B4C04F4A4E32\n")
    write(tmp_path, "/sys/class/net/eth0/address", "02:42:0A:C8:00:09\n")
    write(tmp_path, "/sys/class/net/tun0/address", "00:00:00:00:00:00\n")

    found = machine.identity(["eth0", "eth0", "tun0", "gone"], str(tmp_path))

    assert sorted(found) == ["machine_id", "macs", "product_uuid"]
    assert ID not in str(found)
    assert len(found["machine_id"]) == 16
    assert found["macs"] == {"eth0": "02:42:0a:c8:00:09"}


def test_the_same_identifier_in_another_spelling_gives_the_same_digest(tmp_path):
    for name, content in (
        ("a", ID),
        ("b", ID.upper() + "\n"),
        ("c", "afdd7a8a-7b91-e9ca-2529-90a25be21e73"),
        ("d", "1"),
    ):
        write(tmp_path, name, content)

    assert len({machine.digest(str(tmp_path / name)) for name in "abc"}) == 1


def test_what_is_no_identifier_is_left_out(tmp_path):
    for content in ("", "\n", "uninitialized\n", "0" * 32, "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "Not Settable"):
        write(tmp_path, "/etc/machine-id", content)
        assert machine.identity([], str(tmp_path)) == {}, content


def test_the_older_place_counts_where_the_usual_one_is_not_set(tmp_path):
    write(tmp_path, "/etc/machine-id", "uninitialized\n")
    write(tmp_path, "/var/lib/dbus/machine-id", ID)

    assert "machine_id" in machine.identity([], str(tmp_path))

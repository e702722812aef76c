# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No spelling of a password that BIRD takes, nor one that it refuses, leaves a node, or is kept on the controller."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._bird import config, statements
from ansible_collections.netmedic.calico.plugins.plugin_utils._raw import redact, script

TESTS = Path(__file__).parents[3]
CONFIGURATIONS = sorted(
    [*TESTS.glob("plugins/module_utils/_bird/recorded/*/config/*.cfg"), *TESTS.glob("texts/bird.cfg/*/input.txt")]
)
AWKS = [name for name in ("mawk", "gawk", "original-awk", "busybox") if shutil.which(name)]
WHOLE = "router id 1.2.3.4;\nprotocol device {}\nprotocol bgp x {\n local as 1;\n neighbor 10.0.0.1 as 2;\n%s\n}\n"

# What `bird -p` of 1.6.8 takes, and what it refuses.
TAKEN = [
    WHOLE % 'password "CANARY";',
    WHOLE % "'password' \"CANARY\";",
    'define pw = "CANARY";\n' + WHOLE % "password pw;",
    'define pw\n=\n"CANARY"\n;\n' + WHOLE % "password\n\npw\n;",
    WHOLE % 'password\n\n\n\n"CANARY";',
    WHOLE % ("password" + "\n" * 9 + '"CANARY";'),
    WHOLE % ("password\n" + "# c\n" * 9 + '"CANARY";'),
    WHOLE % 'password /* a " b */ "CANARY";',
    WHOLE % 'password /* a; b */ "CANARY";',
    WHOLE % 'password /* a;\n b */ "CANARY";',
    WHOLE % 'password # x;\n "CANARY";',
    WHOLE % 'password # "x";\n "CANARY";',
    WHOLE % 'password/**/"CANARY";',
    WHOLE % 'password"CANARY";passive;',
    WHOLE % 'password "CANARY"; passive; } protocol bgp y { local as 1; neighbor 10.0.0.2 as 2; password "CANARY";',
    WHOLE % 'password "ab;CANARY";',
    WHOLE % 'password "a#CANARY";',
    WHOLE % 'password "a/*CANARY";',
    WHOLE % 'password\t"CANARY";',
    WHOLE % 'description "it is #1"; password "CANARY";',
    WHOLE % 'description "a # b password"; password "CANARY";',
    WHOLE % 'description "the password"; password "CANARY";',
    WHOLE % 'description "the password;"; password\n"CANARY";',
    WHOLE % 'description "password";\n password\n\n\n\n\n\n\n"CANARY";',
    WHOLE % '# old: it was "CANARY"; password "CANARY";',
    WHOLE % "/* the password\n is\n CANARY\n*/",
    WHOLE % ("/* the password" + "\n x" * 8 + "\n CANARY;\n local CANARY;\n*/"),
    WHOLE % '/* " */ password "CANARY";',
    WHOLE % 'password "\xe9CANARY";',
    (WHOLE % 'password "CANARY";').replace("\n", "\n\n\n").replace(" ", "\t"),
]
REFUSED = [
    WHOLE % 'passwords { password "CANARY" { id 1; }; password "CANARY" ; };',
    WHOLE % 'passwords {\n password "CANARY" {\n generate from "01-01-2020 00:00:00";\n };\n password "x;CANARY"; };',
    (WHOLE % 'password "CANARY";').replace("\n", "\r\n"),
    WHOLE % 'password\r\n"CANARY";',
    'protocol bgp x { password "CANARY"',
    'protocol bgp x { neighbor 10.0.0.1 as 2 password "CANARY"',
    WHOLE % 'password "ab\nCANARY";',
    WHOLE % 'password\x00 "CANARY";',
    WHOLE % 'pass\x00word "CANARY";',
    WHOLE % 'passwordx "CANARY";',
    WHOLE % 'password "a"CANARY;CANARY";',
    WHOLE % 'password "a";CANARY";',
    WHOLE % "password CANARY;",
    WHOLE % "password 'CANARY';",
    WHOLE % 'PASSWORD "CANARY";',
    WHOLE % 'neighbor "CANARY";',
    WHOLE % 'keys { key { id 1; secret "CANARY"; }; };',
    WHOLE % '/* password "CANARY";\n never closed',
    WHOLE % 'password "\\"CANARY";',
    WHOLE % "password hex:00CANARY11:22;",
    "hex:00CANARY;\n",
    '"CANARY"\n',
    "CANARY",
    "x" * 70000 + '\npassword "CANARY";\n',
    'password "' + "CANARY" * 20000 + '";\n',
    "password '\n'CANARY';\n",
    'krt_tunnel password = "CANARY";',
    'include\n"the\x01CANARY";',
]


@functools.cache
def programs(awk):
    """Where this awk is `awk`, and the function of the script that is sent to nodes."""
    lines = script.command({}, "-" + "0" * 32).splitlines()
    start = lines.index("without_passwords() {")
    function = "\n".join(lines[start : lines.index("}'", start) + 2])
    kept_while_used = tempfile.TemporaryDirectory(prefix="awk-")
    folder = Path(kept_while_used.name)
    (folder / "awk").symlink_to(shutil.which(awk))
    if awk == "busybox":
        (folder / "tr").symlink_to(shutil.which(awk))
    return f"{folder}:{os.environ['PATH']}", f"LC_ALL=C; export LC_ALL\n{function}\nwithout_passwords", kept_while_used


def cut_on_the_node(text, awk):
    path, function, _folder = programs(awk)
    done = subprocess.run(
        ["sh", "-c", function],
        input=text.encode("latin-1"),
        capture_output=True,
        check=True,
        env={**os.environ, "PATH": path},
    )
    assert done.stderr == b""
    return done.stdout.decode("latin-1")


def is_taken_by_bird(text, folder):
    path = Path(folder) / "bird.cfg"
    path.write_bytes(text.encode("latin-1"))
    return subprocess.run(["bird", "-p", "-c", str(path)], capture_output=True, check=False).returncode == 0


def facts(text, path="/etc/calico/confd/config/bird.cfg"):
    return config.parse(path, lambda asked: text if asked == path else None)


@pytest.mark.parametrize("text", TAKEN + REFUSED)
@pytest.mark.parametrize("awk", AWKS)
def test_no_password_leaves_a_node(awk, text):
    cut = cut_on_the_node(text, awk)

    assert "CANARY" not in cut
    # The second lock finds nothing to do.
    assert redact.redacted("bird.cfg", cut) == cut


@pytest.mark.parametrize("text", TAKEN + REFUSED)
@pytest.mark.parametrize("name", ["bird.cfg", "bird6.cfg", "bird_aggr.cfg", "peers.conf", "pw"])
def test_no_password_is_kept_on_the_controller(name, text):
    cut = redact.redacted(name, text)

    assert "CANARY" not in cut
    assert redact.redacted(name, cut) == cut


@pytest.mark.skipif(shutil.which("bird") is None, reason="no BIRD here")
def test_bird_itself_takes_these_spellings_and_no_other(tmp_path):
    assert [text for text in TAKEN if not is_taken_by_bird(text, tmp_path)] == []
    assert [text for text in REFUSED if is_taken_by_bird(text, tmp_path)] == []


@pytest.mark.parametrize("text", TAKEN)
def test_what_is_kept_tells_the_same_facts(text):
    assert facts(statements.kept(text)) == facts(text)


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: "-".join(path.parts[-3:]))
def test_recorded_configurations_tell_the_same_facts(path):
    text = path.read_text(encoding="utf-8")
    cut = statements.kept(text)

    assert facts(cut) == facts(text)
    for awk in AWKS:
        assert cut_on_the_node(text, awk) == cut


def test_there_are_recorded_configurations():
    assert len(CONFIGURATIONS) >= 8


def test_what_is_kept_looks_like_this():
    text = (
        "# Generated by confd\n# IPv6 disabled on this node, says somebody\n"
        'include "bird_aggr.cfg"; define pw = "x";\nrouter id 10.0.0.1; # our own\n'
        'template bgp T {\n  description "Connection";\n  local as 64512;\n  password\n    pw;\n}\n'
        "protocol bgp Mesh from T { neighbor 10.0.0.2\n  as 64512; }\n"
        'filter f { if ( net ~ 10.0.0.0/8 ) then { krt_tunnel="tunl0"; accept; } }\n'
    )
    cut = (
        '\n# IPv6 disabled on this node\ninclude "bird_aggr.cfg";\nrouter id 10.0.0.1;\ntemplate bgp T {\n\n'
        '  local as 64512;\n\n  password "cut";\n}\nprotocol bgp Mesh from T {\n  neighbor 10.0.0.2 as 64512; }\n'
        '{ { krt_tunnel = "tunl0"; } }\n'
    )

    assert statements.kept(text) == cut
    for awk in AWKS:
        assert cut_on_the_node(text, awk) == cut


def test_a_line_beyond_reason_is_told_as_not_read():
    text = WHOLE % "" + "protocol bgp y { # " + "x" * 70000 + "\n}\n"
    read = facts(statements.kept(text))

    assert len(read.peerings) == 1
    assert [line for line, *_rest in read.unread[0]] == [8]
    for awk in AWKS:
        assert cut_on_the_node(text, awk) == statements.kept(text)


def test_a_node_without_awk_shows_no_line_and_says_so(tmp_path):
    _path, function, _folder = programs("sh")
    done = subprocess.run(
        [shutil.which("sh"), "-c", function],
        check=False,
        input=b'password "CANARY";\n',
        capture_output=True,
        env={"PATH": str(tmp_path)},
    )

    assert done.returncode == 0
    assert b"CANARY" not in done.stdout
    assert facts(done.stdout.decode()).unread[0] != []


def test_long_configurations_cost_little_time():
    text = WHOLE % 'password "CANARY";' * 20000
    cut = statements.kept(text)

    assert "CANARY" not in cut
    for awk in AWKS:
        assert cut_on_the_node(text, awk) == cut


# Everything that BIRD's reader passes over between two words, with what could lead a cutter astray in it.
LURES = st.sampled_from(
    ["", ";", '"', "'", "{", "}", "password", 'password "', "*", "/", "#", "a", "neighbor ", " \t", "\\"]
)
LURE = st.lists(LURES, max_size=4).map("".join)
GAPS = st.one_of(
    st.sampled_from([" ", "\t", "\n", "\n\n\n\n\n\n", " \n "]),
    LURE.filter(
        lambda text: "*/" not in text and "/*" not in text and not text.endswith("*") and not text.startswith("/")
    )
    .map(lambda text: f"/*{text}\n{text}*/")
    .filter(lambda text: text.count("/*") == 1 and text.count("*/") == 1),
    LURE.map(lambda text: f"#{text}\n"),
)
GAP = st.lists(GAPS, max_size=3).map("".join)
STRINGS = st.lists(LURES, max_size=3).map("".join).map(lambda text: text.replace('"', ""))
WORDS = st.sampled_from(["password", "'password'"])


@st.composite
def legal(draw):
    """A configuration that BIRD takes, with a password that holds CANARY; gaps stand wherever they may."""

    def gap():
        return draw(GAP)

    secret = f'"{draw(STRINGS)}CANARY{draw(STRINGS)}"'
    by_name = draw(st.booleans())
    define = f"define{gap()} pw{gap()}={gap()}{secret}{gap()};" if by_name else ""
    value = f" {gap()}pw" if by_name else f"{gap()}{secret}"
    statements = [
        f"{draw(WORDS)}{value}{gap()};",
        f'description{gap()}"{draw(STRINGS)}"{gap()};',
        f"local{gap()} as{gap()} 1{gap()};",
        f"neighbor{gap()} 10.0.0.1{gap()} as{gap()} 2{gap()};",
        f"passive{gap()} on{gap()};",
    ]
    body = gap().join(draw(st.permutations(statements)))
    head = f"router id 1.2.3.4;{gap()}{define}{gap()}protocol bgp{gap()} x{gap()}{{{gap()}"
    return f"{head}{body}}}{gap()}protocol device{{}}\n"


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(legal())
def test_no_legal_spelling_gives_a_password_away(text):
    cut = statements.kept(text)
    read = facts(cut)

    assert "CANARY" not in cut
    assert statements.kept(cut) == cut
    for awk in AWKS:
        assert cut_on_the_node(text, awk) == cut
    assert [(one.name, one.peer, one.peer_as, one.password) for one in read.peerings] == [("x", "10.0.0.1", 2, True)]
    assert read == facts(text)
    if shutil.which("bird") is not None:
        with tempfile.TemporaryDirectory() as folder:
            assert is_taken_by_bird(text, folder)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.one_of(
            LURES,
            st.sampled_from(
                ["CANARY", "\n", "include ", "krt_tunnel=", "router id ", "\xe9", "\0", "# IPv4 disabled on this node"]
            ),
        ),
        max_size=30,
    ).map("".join)
)
def test_both_cutters_keep_the_same_of_anything(text):
    cut = statements.kept(text)

    assert statements.kept(cut) == cut
    for awk in AWKS:
        assert cut_on_the_node(text, awk) == cut

# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of the kernel that Calico needs and that this one does not have.

What is needed is listed as `calicoctl node checksystem` lists it (calicoctl/calicoctl/commands/node/checksystem.go),
with the tunnels in use. Found is a part that is loaded, built in, can be loaded, or stands in the kernel's
configuration. Nothing is loaded by looking.
"""

from __future__ import annotations

import os

from .processes import read_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Module, other modules that do the same, and the configuration's names.
NEEDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "ip_tables": ((), ("IP_NF_IPTABLES",)),
    "ip_set": ((), ("IP_SET",)),
    "xt_set": (("ipt_set",), ("NETFILTER_XT_SET",)),
    "xt_rpfilter": (("ipt_rpfilter",), ("IP_NF_MATCH_RPFILTER",)),
    "xt_addrtype": (("ipt_addrtype",), ("NETFILTER_XT_MATCH_ADDRTYPE",)),
    "xt_conntrack": ((), ("NETFILTER_XT_MATCH_CONNTRACK",)),
    "xt_mark": ((), ("NETFILTER_XT_MARK",)),
    "xt_multiport": ((), ("NETFILTER_XT_MATCH_MULTIPORT",)),
    "nf_conntrack_netlink": ((), ("NF_CT_NETLINK",)),
    "nf_tables": ((), ("NF_TABLES",)),
    "ip6_tables": ((), ("IP6_NF_IPTABLES",)),
    "ipip": ((), ("NET_IPIP",)),
    "vxlan": ((), ("VXLAN",)),
    "wireguard": ((), ("WIREGUARD",)),
}
IPTABLES = ("ip_tables", "xt_set", "xt_rpfilter", "xt_addrtype", "xt_conntrack", "xt_mark", "xt_multiport")
ALWAYS = ("ip_set", "nf_conntrack_netlink")
_OF_DEVICE = (
    ("tunl", "ipip"),
    ("vxlan", "vxlan"),
    ("flannel.", "vxlan"),
    ("flannel-v6.", "vxlan"),
    ("flannel-wg", "wireguard"),
    ("wireguard", "wireguard"),
    ("wg-v6.", "wireguard"),
)
_LIMIT = 1 << 24
_CONFIG_LIMIT = 1 << 22


def needed(devices: Iterable[str], nftables: bool) -> list[str]:
    """Return what is needed for the tunnel devices in use, and for Felix's way to filter."""
    found = [*ALWAYS, *(("nf_tables",) if nftables else IPTABLES)]
    for device in devices:
        found += [module for beginning, module in _OF_DEVICE if device.startswith(beginning)]
    return list(dict.fromkeys(found))


def missing(modules: Iterable[str], release: str, root: str = "", proc_root: str = "/proc") -> tuple[list[str], bool]:
    """Return those of the modules that this kernel lacks, and whether anything told at all.

    `release` is the kernel's, as uname gives it. Without modules.dep and without a configuration nothing can be said
    of what is not loaded.
    """
    loaded = b"\n" + read_bytes(os.path.join(proc_root, "modules"), _LIMIT)
    open_ones = [name for name in modules if not any(b"\n%s " % each.encode() in loaded for each in _names(name))]
    open_ones = [
        name for name in open_ones if not any(os.path.isdir(f"{root}/sys/module/{each}") for each in _names(name))
    ]
    if not open_ones:
        return [], True
    told = False
    folder = f"{root}/lib/modules/{release}"
    for listing in ("modules.builtin", "modules.dep"):
        text = read_bytes(f"{folder}/{listing}", _LIMIT).replace(b"-", b"_")
        told = told or bool(text)
        open_ones = [name for name in open_ones if not any(b"/%s.ko" % each.encode() in text for each in _names(name))]
    if not open_ones:
        return [], True
    config = _configuration(release, root, proc_root)
    if config:
        open_ones = [name for name in open_ones if not _configured(config, name)]
    return (open_ones, True) if told or config else ([], False)


def _names(name: str) -> tuple[str, ...]:
    return (name, *NEEDS.get(name, ((), ()))[0])


def _configured(config: bytes, name: str) -> bool:
    options = NEEDS.get(name, ((), ()))[1]
    return any(b"\nCONFIG_%s=%s" % (option.encode(), way) in config for option in options for way in (b"y", b"m"))


def _configuration(release: str, root: str, proc_root: str) -> bytes:
    """Return the kernel's configuration; b'' if it cannot be read."""
    plain = read_bytes(f"{root}/boot/config-{release}", _CONFIG_LIMIT)
    packed = b"" if plain else read_bytes(os.path.join(proc_root, "config.gz"), _CONFIG_LIMIT)
    if packed:
        import zlib

        try:
            # No more than the limit is unpacked, whatever the file claims to hold.
            plain = zlib.decompressobj(31).decompress(packed, _CONFIG_LIMIT)
        except zlib.error:
            return b""
    return b"\n" + plain if plain else b""

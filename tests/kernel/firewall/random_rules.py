# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rulesets at random, in the languages of iptables-restore, ipset and nft, and packets that may meet them."""

from __future__ import annotations

import random

from ansible_collections.netmedic.calico.tests.kernel.firewall.pair import (
    HOST4,
    HOST6,
    IPIP,
    LINKS,
    PORTS,
    SECOND4,
    SECOND6,
    TCP,
    UDP,
    UDP_PORTS,
    Shot,
)

STATES = ("NEW", "ESTABLISHED", "RELATED,ESTABLISHED", "INVALID", "UNTRACKED", "NEW,RELATED", "DNAT")
NFT_STATES = ("new", "established,related", "invalid", "{ new, established }", "untracked")
NFT_FLAGS = ("syn", "== syn", "!= syn", "& (syn|ack) == syn", "& (fin|syn|rst|ack) != syn", "ack")
MARKING = (
    *("-j MARK --set-xmark 0x1/0x1", "-j MARK --set-xmark 0x2/0xffffffff", "-j MARK --and-mark 0x1"),
    *("-j MARK --or-mark 0x2", "-j MARK --xor-mark 0x3", "-j CONNMARK --set-xmark 0x1/0xffffffff"),
    *("-j CONNMARK --save-mark", "-j CONNMARK --restore-mark", "-j CONNMARK --save-mark --nfmask 0x1 --ctmask 0x3"),
    *("-j CONNMARK --or-mark 0x2", "-j CONNMARK --restore-mark --nfmask 0x3 --ctmask 0x1"),
)
USER_CHAINS = ("one", "two", "ufw-three", "KUBE-FOUR")
HOSTS = {"ipv4": {"eth0": HOST4, "wan1": SECOND4}, "ipv6": {"eth0": HOST6, "wan1": SECOND6}}
NEW_SOURCES = {"ipv4": ("10.9.9.1", "10.9.9.3"), "ipv6": ("fd99::1", "fd99::3")}
SETS = {
    "ipv4": ("s-ip", "s-net", "s-ipport", "s-netport", "s-netiface", "s-bitmap", "s-port", "s-list", "s-netnet"),
    "ipv6": ("6-ip", "6-net", "6-ipport", "6-netport", "6-netiface", "s-port", "6-list"),
}
# Rules put packets into it.
SEEN = {"ipv4": "s-seen", "ipv6": "6-seen"}
DIMENSIONS = {
    "ip": 1,
    "net": 1,
    "bitmap": 1,
    "port": 1,
    "list": 1,
    "ipport": 2,
    "netport": 2,
    "netiface": 2,
    "netnet": 2,
}
# Matches that a packet on paper does not decide. With probability 0 or 1 they still have an answer that the kernel
# gives.
UNDECIDABLE = (
    "-m limit --limit 1000/sec --limit-burst 1000",
    "-m statistic --mode random --probability 0.5",
    "-m statistic --mode nth --every 2 --packet 0",
    "-m recent --name r --update --seconds 1",
    "-m length --length 40:60",
    "-m tcpmss --mss 1:1000",
)


class Dice:
    """Draws addresses, matches and targets for one family and direction.

    With `flows` they are about all that goes between nodes, else about BGP.
    """

    def __init__(self, seed, family, outbound=False, flows=False):
        self.random = random.Random(seed)
        self.family = family
        self.outbound = outbound
        self.flows = flows

    def pick(self, options):
        return self.random.choice(options)

    def chance(self, probability):
        return self.random.random() < probability

    def source(self, link):
        """An address of somebody behind `link`: few, so that rules and packets meet."""
        number = LINKS.index(link)
        low = self.random.randrange(32)
        if self.family == "ipv4":
            return f"10.{100 + number}.{self.pick((0, 0, 1, 200))}.{low}"
        return f"fd0{number}:{self.pick(('', '', '1:'))}:{low:x}" if low else f"fd0{number}::ff"

    def shots(self, fresh_ports, odd=True):
        """One packet for each fresh port: SYNs to mostly one port, as in real use, or packets of all flows.

        No two IPIP packets go between the same addresses, because for conntrack they would be one connection.
        """
        ports = [(179,)] if self.chance(0.6) else [(179, 179, *PORTS)]
        found, tunnels = [], set()
        for fresh_port in fresh_ports:
            link = self.pick(LINKS)
            hosts = HOSTS[self.family]
            # Sometimes to the address of the other link, which the host takes in all the same.
            to = hosts[link] if self.chance(0.85) else self.pick(list(hosts.values()))
            shot = Shot(link, self.source(link), fresh_port, to, self.pick(ports[0]))
            if self.flows:
                shot = self._of_any_flow(shot, odd)
            if shot.protocol == IPIP:
                if (shot.source, shot.destination) in tunnels:
                    shot = shot._replace(protocol=UDP, destination_port=4789)
                tunnels.add((shot.source, shot.destination))
            found.append(shot)
        return found

    def _of_any_flow(self, shot, odd):
        protocol = self.pick((TCP, UDP, UDP, IPIP) if self.family == "ipv4" else (TCP, UDP, UDP))
        if protocol == IPIP:
            return shot._replace(protocol=IPIP, destination_port=0)
        if protocol == UDP:
            return shot._replace(protocol=UDP, destination_port=self.pick(UDP_PORTS))
        shot = shot._replace(destination_port=self.pick((179, 5473, 5473)))
        # Flags that no connection begins with, nor any has: conntrack calls it invalid.
        return shot._replace(flags=0x03) if odd and self.chance(0.2) else shot

    def prefix(self):
        link = self.pick(LINKS)
        address = self.source(link)
        lengths = (
            (8, 16, 23, 24, 27, 28, 29, 30, 31, 32) if self.family == "ipv4" else (8, 15, 16, 32, 64, 123, 124, 126)
        )
        return f"{address}/{self.pick(lengths)}"

    def own(self):
        address = self.pick(list(HOSTS[self.family].values()))
        return f"{address}/{self.pick((24, 32) if self.family == 'ipv4' else (64, 128))}"

    def port_words(self):
        # (Not "! 0:65535", which no packet matches: iptables-legacy-save leaves it out.)
        if self.flows:
            return self.pick(("179", "5473", "4789", "8472", "51820:51821", "4000:9000", "179:65535", ":5472"))
        return self.pick(("179", "179", "179", "22", "8080", "100:200", "179:65535", ":178"))

    def negation(self, probability=0.25):
        return "! " if self.chance(probability) else ""

    def sorted_addresses(self):
        """Two addresses of one link in the order of their last parts, for ranges."""
        number = self.pick((0, 1))
        low, high = sorted(self.random.sample(range(1, 32), 2))
        if self.family == "ipv4":
            return f"10.{100 + number}.0.{low}", f"10.{100 + number}.0.{high}"
        return f"fd0{number}::{low:x}", f"fd0{number}::{high:x}"


class Iptables(Dice):
    """Rulesets of iptables."""

    def __init__(self, seed, family, outbound=False, undecidable=0.0, flows=False, snat=False):
        super().__init__(seed, family, outbound, flows)
        self.snat = snat
        self.undecidable = undecidable
        self.near, self.far, self.way = ("s", "d", "o") if outbound else ("d", "s", "i")

    def ruleset(self):
        """Return text for iptables-restore."""
        tables = [name for name in ("raw", "mangle", "nat", "security") if self.chance(0.35)] + ["filter"]
        if self.snat:
            tables = ["nat", *(["mangle"] if self.chance(0.5) else [])]
        return "".join(self._table(name) for name in tables)

    def _entries(self, name):
        first, last = ("OUTPUT", "POSTROUTING") if self.outbound else ("PREROUTING", "INPUT")
        own = "OUTPUT" if self.outbound else "INPUT"
        if self.snat and name == "nat":
            first = last
        return {"raw": (first,), "mangle": (first, last), "nat": (first, last)}.get(name, (own,))

    def _table(self, name):
        entries = self._entries(name)
        lines = [f"*{name}"]
        entries = tuple(dict.fromkeys(entries))
        for entry in entries:
            policy = "DROP" if self.chance(0.15) and name == "filter" else "ACCEPT"
            lines.append(f":{entry} {policy} [0:0]")
        lines += [f":{chain} - [0:0]" for chain in USER_CHAINS]
        most = 9 if name == "filter" else 5
        for position, chain in enumerate((*entries, *USER_CHAINS)):
            later = USER_CHAINS[max(position - len(entries) + 1, 0) :]
            lines += [f"-A {chain} {self._rule(name, later)}" for _time in range(self.random.randrange(most))]
            if later and self.chance(0.5):
                lines.append(f"-A {chain} -j {later[0]}")
        return "\n".join([*lines, "COMMIT", ""])

    def filter_rule(self):
        """Return a rule that decides, as people add them to a chain of filter."""
        protocol = self.pick(("tcp", "udp", "ipencap" if self.family == "ipv4" else "udp"))
        words = [f"-s {self.prefix()}"] if self.chance(0.3) and not self.outbound else []
        condition = [self._match(protocol)] if self.chance(0.4) else []
        return " ".join([*words, f"-p {protocol}", *condition, self._verdict("filter", protocol)])

    def _rule(self, table, later):
        protocol = self.pick(("tcp", "udp", "ipencap" if self.family == "ipv4" else "udp")) if self.flows else "tcp"
        if self.chance(0.35):  # one condition and a verdict, on what earlier rules have left behind
            return f"-p {protocol} {self._match(protocol)} {self._verdict(table, protocol)}"
        words = []
        protocol = protocol if self.chance(0.6) else ""
        if self.chance(0.25):
            words.append(f"{self.negation()}-{self.far} {self.prefix()}")
        if self.chance(0.1):
            words.append(f"{self.negation()}-{self.near} {self.own()}")
        if self.chance(0.15):
            # (Not "! -i +", which no packet matches: iptables-legacy-save leaves it out.)
            names = ("eth0", "wan1", "eth+", "w+", "cali+", "lo")
            words.append(f"{self.negation()}-{self.way} {self.pick(names)}" if self.chance(0.9) else f"-{self.way} +")
        if protocol:
            words.append(f"-p {protocol}")
        elif self.chance(0.2):
            words.append(self.pick(("-p udp", "! -p udp", "-p all", "! -p tcp", "-p 6", "-p 47", "-p 4", "! -p 4")))
        matches = [self._match(protocol) for _each in range(self.pick((0, 0, 1, 1, 2)))]
        if len({match.split()[1] for match in matches}) == len(matches):
            # (iptables-nft-save merges two of the same module into one, so that such rules have to be left to nft.)
            words.extend(matches)
        if self.chance(self.undecidable):
            words.append(self.pick(UNDECIDABLE if protocol == "tcp" else UNDECIDABLE[:5]))
        if protocol or table != "filter":
            return " ".join([*words, self._target(table, later, protocol)])
        return " ".join([*words, self._going_on(table, later)])

    def _target(self, table, later, protocol):
        return self._verdict(table, protocol) if self.chance(0.15) else self._going_on(table, later)

    def _going_on(self, table, later):
        """Something after which the packet goes on, so that it meets many rules."""
        if later and self.chance(0.35):
            return f"-{self.pick('jjjg')} {self.pick(later)}"
        notrack = ["-j CT --notrack"] * 6 if table == "raw" else []
        # What is put into this set is one packet's own, so that no other one finds it there.
        change = f"-j SET --{self.pick(('add', 'del'))}-set {SEEN[self.family]} src,src,dst"
        changing = [change] if SEEN[self.family] and not self.outbound and self.chance(0.2) else []
        return self.pick([*MARKING, *notrack, *changing, "-j NFLOG", "", "-j RETURN"])

    def _verdict(self, table, protocol):
        if table == "nat" and self.snat and self.chance(0.7):
            return self._new_source()
        if table == "nat" or self.chance(0.3):
            return "-j ACCEPT"
        if table != "filter" or self.chance(0.4):
            return "-j DROP"
        kinds = ("icmp-port-unreachable", "icmp-host-prohibited", "icmp-admin-prohibited", "icmp-net-unreachable")
        if self.family == "ipv6":
            kinds = ("icmp6-port-unreachable", "icmp6-adm-prohibited", "icmp6-addr-unreachable")
        return f"-j REJECT --reject-with {self.pick((*kinds, 'tcp-reset') if protocol == 'tcp' else kinds)}"

    def _new_source(self):
        first, last = NEW_SOURCES[self.family]
        return self.pick(("-j MASQUERADE", f"-j SNAT --to-source {first}", f"-j SNAT --to-source {first}-{last}"))

    def _match(self, protocol):
        no = self.negation()
        low, high = self.sorted_addresses()
        types = ("LOCAL", "UNICAST", "BROADCAST") if self.family == "ipv4" else ("LOCAL", "UNICAST")
        here = "src-type" if self.outbound else "dst-type"
        choices = [
            f"-m conntrack {no}--ctstate {self.pick(STATES)}",
            f"-m conntrack --ctdir {self.pick(('ORIGINAL', 'REPLY'))}",
            f"-m conntrack {no}--ctorig{self.pick(('src', 'dst'))} {self.prefix()}",
            f"-m conntrack {no}--ctproto {self.pick((6, 17))}",
            f"-m state {no}--state {self.pick(('NEW', 'ESTABLISHED', 'NEW,ESTABLISHED', 'INVALID'))}",
            f"-m addrtype {no}--dst-type {self.pick(types)}",
            f"-m addrtype {no}--src-type {self.pick(('LOCAL', 'UNICAST'))}",
            f"-m addrtype {no}--{here} LOCAL --limit-iface-{'out' if self.outbound else 'in'}",
            *[f"-m mark {no}--mark {self.pick(('0x1', '0x1/0x1', '0x0/0x3', '0x2/0x2', '0x3'))}"] * 3,
            *[f"-m connmark {no}--mark {self.pick(('0x1', '0x0', '0x2/0x2', '0x3'))}"] * 2,
            f"-m iprange {no}--{'dst' if self.outbound else 'src'}-range {low}-{high}",
            f"-m pkttype {no}--pkt-type {self.pick(('unicast', 'multicast'))}",
            f'-m comment --comment "{self.pick(("it is --dport 22 here", "a b", "-j DROP", "x"))}"',
            *[self._set_match(no) for _each in range(5)],
        ]
        if self.chance(0.1):
            choices = self._rare_matches(no, protocol)
        if protocol in {"tcp", "udp"}:
            lists = ("179,5473", "4789,8472", "4000:5000,51820") if self.flows else ("22,179", "80,443", "100:180,8080")
            choices += [
                *[f"-m {protocol} {no}--dport {self.port_words()}"] * 4,
                f"-m {protocol} {no}--sport {self.pick(('1024:65535', '40000:50000', '179', ':39999'))}",
                f"-m multiport {no}--dports {self.pick((*lists, '179'))}",
                f"-m multiport {no}--ports {self.pick((*lists[:2], '30000:40000', '8080'))}",
                f"-m multiport {no}--sports {self.pick(('1:1023', '30000:45000'))}",
            ] * 2
        if protocol == "tcp":
            choices += [
                f"-m tcp {no}--syn",
                f"-m tcp {no}--tcp-flags {self.pick(('SYN,ACK SYN', 'ALL NONE', 'FIN,SYN FIN', 'ALL SYN'))}",
            ] * 2
        if not self.outbound:
            choices += [f"-m physdev {no}--physdev-is-bridged", f"-m physdev {no}--physdev-in {self.pick(LINKS)}"]
        return self.pick(choices)

    def _rare_matches(self, no, protocol):
        """Conditions that were once taken for others, or for undecidable ones without need."""
        choices = [
            f"-m policy --dir {'out' if self.outbound else 'in'} --pol {self.pick(('none', 'ipsec'))}",
        ]
        if SEEN[self.family]:
            choices.append(f"-m set {no}--match-set {SEEN[self.family]} src,src,dst")
        if self.family == "ipv6":
            choices += ["-m rt --rt-type 0", "-m frag --fragfirst"]
        if protocol == "tcp":
            choices.append(f"-m tcpmss {no}--mss 1:535")
        if self.outbound:
            choices.append(f"-m owner {no}--uid-owner {self.pick(('0', '0-99', '1000'))}")
        return choices

    def _set_match(self, no):
        name = self.pick(SETS[self.family])
        count = DIMENSIONS[name.split("-")[1]] if name.split("-")[1] != "list" else self.pick((1, 2))
        directions = [self.pick(("src", "src", "dst")) for _time in range(count)]
        if name.endswith("port"):
            directions[-1] = "dst"
        return f"-m set {no}--match-set {name} {','.join(directions)}"

    def sets(self):
        """Return text for `ipset restore` that fills all sets with something new."""
        lines = []
        for name in SETS[self.family]:
            lines.append(f"flush {name}")
            kind = name.split("-")[1]
            if kind != "list":
                elements = {self._element(kind) for _time in range(self.random.randrange(1, 6))}
                lines += [f"add {name} {element} -exist" for element in sorted(elements)]
        prefix = "s" if self.family == "ipv4" else "6"
        members = [f"{prefix}-ip", f"{prefix}-net", f"{prefix}-ipport"]
        lines += [f"add {prefix}-list {member}" for member in self.random.sample(members, 2)]
        if SEEN[self.family]:
            lines.append(f"flush {SEEN[self.family]}")
        return "\n".join([*lines, ""])

    def _element(self, kind):
        link = self.pick(LINKS)
        port = self.pick(("tcp:179", "tcp:22", "udp:179", "tcp:8080"))
        if self.flows:
            port = self.pick(("tcp:179", "tcp:5473", "udp:4789", "udp:51820", "4:0" if kind != "port" else "tcp:179"))
        nomatch = " nomatch" if self.chance(0.3) else ""
        if kind == "port":
            return port.split(":")[1]
        if kind == "bitmap":
            return f"10.100.0.{self.random.randrange(32)}"
        if kind == "netnet":
            return f"{self.prefix()},{self.own()}{nomatch}"
        if kind == "netiface":
            return f"{self.prefix()},{self.pick(LINKS)}{nomatch}"
        single = {"ip": self.source(link), "net": self.prefix() + nomatch}
        return single.get(kind) or f"{self.source(link) if kind == 'ipport' else self.prefix()},{port}"


def create_sets():
    """Return the command that makes each set, by its name."""
    kinds = {
        "ip": "hash:ip",
        "net": "hash:net",
        "ipport": "hash:ip,port",
        "netport": "hash:net,port",
        "netiface": "hash:net,iface",
        "netnet": "hash:net,net",
        "list": "list:set",
        "bitmap": "bitmap:ip range 10.100.0.0/24",
        "port": "bitmap:port range 0-65535",
        "seen": "hash:ip,port,ip",
    }
    commands = {}
    for name in sorted({*SETS["ipv4"], *SETS["ipv6"], *SEEN.values()}):
        kind = kinds[name.split("-")[1]]
        family = " family inet6" if name.startswith("6") and kind.startswith("hash") else ""
        commands[name] = f"create {name} {kind}{family}"
    return commands


def forget_set(name):
    """Do without a set."""
    for family, names in SETS.items():
        SETS[family] = tuple(known for known in names if known != name)
        if SEEN[family] == name:
            SEEN[family] = ""


class IptablesBetween(Iptables):
    """Rulesets of iptables for what goes through the host."""

    def _entries(self, name):
        return {"raw": ("PREROUTING",), "nat": ("PREROUTING",), "mangle": ("PREROUTING", "FORWARD")}.get(
            name, ("FORWARD",)
        )

    def _rule(self, table, later):
        # In a chain that prerouting comes to, too, nothing is known of where a packet will leave.
        self.way = "i" if self.chance(0.5) else "o"
        return super()._rule(table, later)

    def _table(self, name):
        lines = super()._table(name).split("\n")
        # (In the chain itself iptables does not take such a condition.)
        return "\n".join(line.replace(" -o ", " -i ") if line.startswith("-A PREROUTING") else line for line in lines)

    def own(self):
        return self.prefix()


class Nft(Dice):
    """Rulesets of native nftables; `between` for what goes through the host."""

    def __init__(self, seed, family, outbound=False, flows=False, between=False, beside=False):
        super().__init__(seed, family, outbound, flows)
        self.between = between
        self.beside = beside  # iptables-nft, whose tables are its own
        self.hook = ""
        self.kind = ""
        self.own_sets = False  # whether there are the sets and maps of _sets() to name
        self.ip = "ip" if family == "ipv4" else "ip6"
        # What is one packet's own, so that no packet finds what an earlier one has put into a set.
        self.own_key = f"{self.ip} saddr . {self.ip} daddr . th sport . th dport"
        self.near, self.far, self.way = ("saddr", "daddr", "oif") if outbound else ("daddr", "saddr", "iif")

    def ruleset(self):
        """Return text for `nft -f`: one or two tables."""
        kinds = self.random.sample(("inet", self.ip), self.pick((1, 1, 2)))
        self.own_sets = True
        tables = [self._table(kind, number) for number, kind in enumerate(kinds)]
        if not self.between and not self.beside and self.chance(0.3):
            tables.append(self._by_a_name_of_iptables())
        if not self.between and not self.outbound and self.chance(0.2):
            tables.append(self._of_devices())
        return "\n".join(tables)

    def _by_a_name_of_iptables(self):
        """A chain by the name that one of iptables has, elsewhere; or where it has its place, in a table at rest."""
        names = (("filter", "OUTPUT", 0), ("raw", "OUTPUT", -300), ("nat", "OUTPUT", -100))
        if not self.outbound:
            names = (("filter", "INPUT", 0), ("raw", "PREROUTING", -300), ("mangle", "INPUT", -150))
        table, name, priority = self.pick(names)
        sleeps = self.chance(0.3)
        # (A table of such a name that is there already is iptables-nft's own, and stays awake.)
        kind, table = (self.ip, table) if not sleeps else (self.pick(("inet", self.ip)), "asleep")
        head = f"type filter hook {name.lower()} priority {priority + self.pick((-7, 7))}"
        own = self.own_sets
        self.own_sets = False
        rules = "\n".join(f"  {self._rule('user', ())}" for _time in range(3))
        self.own_sets = own
        policy = self.pick(("accept", "accept", "drop")) if sleeps else "accept"
        flags = " flags dormant;\n" if sleeps else ""
        chain = f" chain {name} {{\n  {head}; policy {policy};\n{rules}\n }}"
        return f"table {kind} {table} {{\n{flags}{chain}\n}}\n"

    def _of_devices(self):
        devices = self.pick(("device eth0", "device wan1", "devices = { eth0, wan1 }"))
        port = self.pick(("tcp dport 22", "udp dport 4789", "meta l4proto 4", f"{self.ip} saddr {self.prefix()}"))
        other = self.pick(("ip6", "ip")) if self.chance(0.3) else "arp"
        rules = f"  ether type {other} drop\n  {port} {self.pick(('drop', 'accept', 'meta mark set 1'))}"
        return (
            f"table netdev links {{\n chain c {{\n  type filter hook ingress {devices} priority 0;\n{rules}\n }}\n}}\n"
        )

    def sources(self):
        """Return text for `nft -f`: a table with two chains that rewrite sources, in the order of their priorities."""
        lines = [f"table {self.pick(('inet', self.ip))} sources {{", self._sets()]
        first, last = NEW_SOURCES[self.family]
        near = f"snat {self.ip} to"
        for priority in (
            90,
            110,
        ):  # (Not at 100: in which order the kernel calls these and those of iptables is not told.)
            lines += [f" chain at{priority} {{", f"  type nat hook postrouting priority {priority}; policy accept;"]
            for _time in range(self.random.randrange(1, 5)):
                to = self.pick(
                    ("masquerade", f"{near} {first}", f"{near} {first}-{last}", "accept", "return", "continue")
                )
                lines.append(f"  {' '.join([self._match(), to])}")
            lines.append(" }")
        return "\n".join([*lines, "}", ""])

    def _table(self, kind, number):
        self.kind = kind
        lines = [f"table {kind} random{number} {{", self._sets()]
        chains = ("last", "middle", "first")
        for position, chain in enumerate(chains):
            lines.append(f" chain {chain} {{")
            lines += [f"  {self._rule('user', chains[:position])}" for _time in range(self.random.randrange(4))]
            lines.append(" }")
        own, beside = ("output", "postrouting") if self.outbound else ("input", "prerouting")
        early = (-310, -160, 0) if not self.outbound else (-160, 0, 50)
        if self.between:
            own, beside = "forward", self.pick(("prerouting", "postrouting"))
            early = early if beside == "prerouting" else (-160, 0, 50)
        for hook, priority in ((own, 0), (own, self.pick((-5, 10))), (beside, self.pick(early))):
            if not self.chance(0.7 if hook == own else 0.4):
                continue
            policy = "drop" if self.chance(0.2) else "accept"
            lines.append(f" chain {hook}_{priority + 400} {{")
            lines.append(f"  type filter hook {hook} priority {priority}; policy {policy};")
            lines += [f"  {self._rule(hook, chains)}" for _time in range(self.random.randrange(1, 6))]
            lines.append(" }")
        return "\n".join([*lines, "}", ""])

    def _sets(self):
        kind = "ipv4_addr" if self.family == "ipv4" else "ipv6_addr"
        low, high = self.sorted_addresses()
        prefix = "10.100.200.0/25" if self.family == "ipv4" else "fd00:1::/64"
        return (
            f" set nets {{\n  type {kind}\n  flags interval\n  elements = {{ {low}-{high}, {prefix} }}\n }}\n"
            f" set pairs {{\n  type {kind} . inet_service\n  elements = {{ {low} . 179, {high} . 22 }}\n }}\n"
            ' map ways {\n  type ifname : verdict\n  elements = { "eth0" : continue, "wan1" : return }\n }\n'
            f" map marks {{\n  type {kind} : mark\n  elements = {{ {low} : 1, {high} : 3 }}\n }}\n"
            f" set seen {{\n  type {kind} . {kind} . inet_service . inet_service\n  size 65535\n"
            "  flags dynamic,timeout\n  timeout 1m\n }\n"
            " counter counted {\n }"
        )

    def rule(self):
        """Return a rule for a chain of iptables-nft's filter table, as people add them with nft."""
        return self._rule("user", ())

    def _rule(self, hook, later):
        self.hook = hook
        words = [self._match() for _time in range(self.pick((0, 1, 1, 2)))]
        verdict = self._verdict(hook, later)
        if verdict.startswith("reject with tcp"):
            words.append("meta l4proto tcp")
        elif verdict.startswith("reject with icmp"):
            # (nft 1.0.6 lists "meta protocol ip6 reject with icmp", which no packet matches, as another rule.)
            words = [word for word in words if not word.startswith("meta protocol")]
        return " ".join([*words, self.pick(("", "", "counter")), verdict])

    def _rare_match(self):
        """Conditions that were once taken for others, or for undecidable ones without need."""
        low = self.sorted_addresses()[0]
        order = self.pick(("<", "<=", ">", ">="))
        seen = [f"meta l4proto {{ tcp, udp }} {self.own_key} {self.pick(('', '!= '))}@seen"] if self.own_sets else []
        inbound = (
            []
            if self.outbound
            else [
                # (In a table of one family nft 1.0.6 fails to list the former.)
                *([f"ether type {self.pick(('', '!= '))}{self.pick(('ip', 'ip6'))}"] if self.kind == "inet" else ()),
                f"iiftype {self.pick(('', '!= '))}ether",
            ]
        )
        return self.pick(
            (
                *seen,
                *(inbound if not self.between and self.hook in {"prerouting", "input"} else ()),
                *([f"meta ipsec {self.pick(('exists', 'missing'))}"] if not self.outbound and not self.between else ()),
                *([f"meta skuid {self.pick(('0', '!= 0', '> 0'))}"] if self.outbound and self.hook == "output" else ()),
                f"exthdr {self.pick(('hbh', 'frag', 'rt', 'dst', 'mh'))} {self.pick(('missing', 'exists'))}",
                f"{self.ip} saddr {order} {low}",
                f"{self.ip} daddr {order} {low}",
                f"ip frag-off & {self.pick(('0x1fff', '0x3fff', '0x2000'))} {self.pick(('==', '!='))} 0",
                f"ip hdrlength {self.pick(('5', '!= 5', '> 5', '<= 5'))}",
                f"{self.ip} version {self.pick(('4', '!= 4', '6'))}",
                f"ct l3proto {self.pick(('', '!= '))}{self.pick(('ipv4', 'ipv6'))}",
                f"tcp option maxseg size {self.pick(('1-535', '< 500', '<= 535'))}",
            )
        )

    def _rare_verdict(self, hook):
        """Statements that end their rule where they have no value, or change what later rules see."""
        low, high = self.sorted_addresses()
        far = f"{self.ip} {self.far}"
        ending = self.pick(("accept", "drop", "drop", ""))
        changing = [
            f"{self.pick(('add', 'update', 'delete'))} @seen {{ {self.own_key} }} {self.pick(('', '', ending))}"
        ]
        own = [
            f"meta mark set {far} map @marks {ending}",
            f'counter name {far} map {{ {low} : "counted" }} {ending}',
            # (Not of IPIP, where the place of a port holds the same for every packet.)
            *[f"meta l4proto {{ tcp, udp }} {words}" for words in changing],
        ]
        return self.pick(
            (
                *(own if self.own_sets else ()),
                f"meta mark set {far} map {{ {low} : 1, {high} : 3 }} {ending}",
                f"meta mark set tcp dport map {{ 22 : 1, 179 : 2 }} {ending}",
                f"meta priority set {far} map {{ {low} : 1:1 }} {ending}",
                f"meta mark set 1 {far} vmap {{ {low} : accept, {high} : drop }}",
                f"tcp option maxseg size set 1200 {ending}",
                f"{'ip dscp' if self.family == 'ipv4' else 'ip6 dscp'} set cs1 {ending}",
                *((f"ct mark set {far} map {{ {low} : 1 }} {ending}",) if hook in {"input", "output"} else ()),
                *((f"meta mark set ct mark {ending}",) if hook in {"input", "output"} else ()),
                *((self._moving(),) if self.chance(0.05) else ()),
            )
        )

    def _moving(self):
        low = self.sorted_addresses()[0]
        return (
            f"{self.ip} {self.far} {self.prefix()} {self.pick((f'{self.ip} {self.far} set {low}', 'tcp dport set 22'))}"
        )

    def _match(self):
        if self.chance(0.15):
            return self._rare_match()
        if self.between:  # (Where a packet came in is not evaluated behind routing: it depends on the kernel.)
            self.way = "oif" if self.hook == "postrouting" else self.pick(("iif", "oif"))
        no = self.pick(("", "", "!= "))
        low, high = self.sorted_addresses()
        other = self.sorted_addresses()[0]
        net = self.prefix()
        host = list(HOSTS[self.family].values())
        return self.pick(
            (
                *(self._of_flows(no) if self.flows else ()),
                f"{self.ip} {self.far} {no}{net}",
                f"{self.ip} {self.far} {no}{low}-{high}",
                f"{self.ip} {self.far} {no}{{ {low}, {other.replace('.0.', '.1.').replace('::', ':1::')} }}",
                f"{self.ip} {self.far} {no}@nets",
                f"{self.ip} {self.near} {no}{self.pick(host)}",
                f"{self.ip} {self.far} . tcp dport {no}@pairs",
                f"{self.ip} {self.far} . tcp dport {{ {low} . 179, {high} . 8080 }}",
                f"{self.way}name {no}{self.pick(LINKS)}",
                f'{self.way}name "w*"',
                f"{self.way}name {no}{{ {', '.join(LINKS[:1])}, lo }}",
                f"tcp dport {no}{self.pick(('179', '22', '100-200', '{ 22, 179 }', '{ 1-100, 8080 }'))}",
                f"tcp dport {self.pick(('>', '<', '>=', '<='))} 179",
                f"tcp sport {no}{self.pick(('1024-65535', '40000-50000', '179'))}",
                f"meta l4proto {{ tcp, udp }} th dport {no}179",
                f"meta l4proto {no}{self.pick(('tcp', 'udp', '{ tcp, udp }'))}",
                f"ct state {self.pick(NFT_STATES)}",
                f"ct state != {self.pick(('new', 'established', 'invalid', 'established,related'))}",
                "ct state ! established",
                f"ct direction {no}original",
                "ct status dnat",
                "ct status != dnat",
                f"meta mark {no}{self.pick(('0', '1', '2', '1-3', '{ 1, 2 }'))}",
                f"meta mark & 3 {self.pick(('==', '!='))} 1",
                f"ct mark {no}{self.pick(('0', '1'))}",
                f"tcp flags {self.pick(NFT_FLAGS)}",
                f"fib daddr type {no}{self.pick(('local', 'unicast', '{ local, broadcast }'))}",
                f"fib saddr type {no}local",
                f"fib {self.near} . {self.way} type {no}local",
                f"fib saddr . iif oif {self.pick(('missing', 'exists', '0'))}",
                # (Not of the other family: nft 1.0.6 lists `meta protocol ip ip6 daddr x` without its first condition.)
                f"meta protocol {self.pick((self.ip, '{ ip, ip6 }'))}",
                f"meta pkttype {no}{self.pick(('host', 'multicast'))}",
                f"{'ip protocol' if self.family == 'ipv4' else 'ip6 nexthdr'} {no}tcp",
                "icmp type echo-request",
                "udp dport 179",
                "meta l4proto 6",
            )
        )

    def filter_rule(self):
        """Return a rule that decides, for a chain at input."""
        condition = self.pick(("udp dport 4000-9000", "meta l4proto udp", "meta l4proto tcp", self._match()))
        return f"{condition} {self.pick(('accept', 'accept', 'drop', 'drop', 'reject'))}"

    def _of_flows(self, no):
        """Conditions on what the flows between nodes are told by."""
        udp = self.pick(("4789", "8472", "51820-51821", "{ 4789, 51820 }", "4000-9000"))
        return (
            *[f"udp dport {no}{udp}"] * 3,
            *[f"tcp dport {no}{self.pick(('5473', '{ 179, 5473 }', '5000-6000'))}"] * 2,
            *[f"meta l4proto {no}{self.pick(('4', 'udp', '{ 4, 17 }', '{ 6, 17 }'))}"] * 2,
            "meta l4proto . th dport { tcp . 5473, udp . 4789, udp . 51820 }",
            "udp sport 1024-65535",
            f"ct protocol {no}{self.pick(('tcp', 'udp'))}",
            f"ct original {self.ip} saddr {no}{self.prefix()}",
            f"ct original proto-dst {no}{self.pick(('179', '4789'))}",
        )

    def _verdict(self, hook, later):
        if self.chance(0.12):
            return self._rare_verdict(hook)
        low, high = self.sorted_addresses()
        choices = ["accept"] * 3 + ["drop"] * 3 + ["return", "continue", ""]
        choices += [f"{self.pick(('jump', 'jump', 'goto'))} {chain}" for chain in later] * 2
        choices += [
            "meta mark set 1",
            "meta mark set meta mark | 2",
            "meta mark set meta mark & 1",
            "meta mark set 2 accept",
        ]
        choices += [f"{self.ip} {self.far} vmap {{ {low} : accept, {high} : drop }}", f"{self.way}name vmap @ways"]
        choices += ["tcp dport vmap { 179 : drop, 22 : accept, 8080 : continue }"]
        choices += [f"tcp dport vmap {{ 100-200 : jump {chain}, 22 : goto {chain} }}" for chain in later[:1]]
        choices += ["meta mark set 1 tcp dport 22 drop"]
        if hook == "prerouting":
            choices += ["notrack"]
        if hook in {"input", "output", "forward"}:
            choices += ["ct mark set 1", "ct mark set meta mark", "meta mark set ct mark"]
            unreachable = self.pick(("icmp type host-prohibited", "icmpv6 type admin-prohibited"))
            choices += [
                "reject",
                "reject with tcp reset",
                "reject with icmpx type admin-prohibited",
                f"reject with {unreachable}",
            ]
        return self.pick(choices)

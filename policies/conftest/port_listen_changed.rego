# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.port_listen_changed

import rego.v1

import data.lib.calico

resource := input

warn contains msg if {
	not calico.accepted(resource, "port_listen_changed")
	some place in broken
	msg := concat("", [
		"port_listen_changed: BGP listens on another port than 179 (",
		place,
		"). ",
		"Firewalls, failsafe ports and routers expect 179; peers that are not told the port never connect. ",
		"Leave listenPort out; or open the port everywhere, give it to BGPPeers (ADDRESS:PORT), and accept the rule.",
	])
}

broken contains "listenPort" if {
	calico.is_a(resource, "BGPConfiguration")
	resource.spec.listenPort != 179
}

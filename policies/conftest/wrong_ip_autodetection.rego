# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.wrong_ip_autodetection

import rego.v1

import data.lib.calico

resource := input

warn contains msg if {
	not calico.accepted(resource, "wrong_ip_autodetection")
	some place in broken
	msg := concat("", [
		"wrong_ip_autodetection: The node's address is found in a way that depends on chance (",
		place,
		"). ",
		"A node registers the address of another interface after a change of the host, and its sessions break. ",
		"Use kubernetes-internal-ip (Installation: kubernetes: NodeInternalIP), cidr=RANGE, or interface=^NAME$.",
	])
}

trap(method) if method in {"", "first-found"}

trap(method) if startswith(method, "can-reach=")

trap(method) if {
	startswith(method, "interface=")
	some pattern in split(substring(method, 10, -1), ",")
	not startswith(trim_space(pattern), "^")
}

agents contains agent if {
	some agent in calico.agents(resource)
	calico.value(agent, "CALICO_NETWORKING_BACKEND", "") != "none"
	calico.value(agent, "IP", "autodetect") == "autodetect"
}

broken contains "IP_AUTODETECTION_METHOD" if {
	some agent in agents
	trap(calico.value(agent, "IP_AUTODETECTION_METHOD", ""))
}

broken contains "IP6_AUTODETECTION_METHOD" if {
	some agent in calico.agents(resource)
	calico.value(agent, "CALICO_NETWORKING_BACKEND", "") != "none"
	trap(calico.value(agent, "IP6_AUTODETECTION_METHOD", "cidr="))
}

chosen contains [key, choice] if {
	resource.kind == "Installation"
	some key in ["nodeAddressAutodetectionV4", "nodeAddressAutodetectionV6"]
	choice := resource.spec.calicoNetwork[key]
}

broken contains key if {
	some [key, choice] in chosen
	choice.firstFound == true
}

broken contains key if {
	some [key, choice] in chosen
	choice.canReach
}

broken contains key if {
	some [key, choice] in chosen
	trap(concat("", ["interface=", choice.interface]))
}

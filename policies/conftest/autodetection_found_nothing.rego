# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.autodetection_found_nothing

import rego.v1

import data.lib.calico

resource := input

deny contains msg if {
	not calico.accepted(resource, "autodetection_found_nothing")
	some place in broken
	msg := concat("", [
		"autodetection_found_nothing: The method of autodetection is none (",
		place,
		"). ",
		"calico-node ends at its start, or the operator refuses the Installation. ",
		"Give exactly one of first-found, kubernetes-internal-ip, can-reach=, interface=, skip-interface=, cidr=.",
	])
}

valid := `^(|first-found|kubernetes-internal-ip|(interface|skip-interface|can-reach)=.+|cidr= *[0-9a-fA-F:.]+/[0-9]{1,3}( *, *[0-9a-fA-F:.]+/[0-9]{1,3})*)$`

broken contains key if {
	some agent in calico.agents(resource)
	some key in ["IP_AUTODETECTION_METHOD", "IP6_AUTODETECTION_METHOD"]
	some one in calico.variables(agent, key)
	calico.has(one, "value")
	not regex.match(valid, one.value)
}

broken contains key if {
	resource.kind == "Installation"
	some key in ["nodeAddressAutodetectionV4", "nodeAddressAutodetectionV6"]
	choice := resource.spec.calicoNetwork[key]
	given := {name |
		some name in ["firstFound", "kubernetes", "interface", "skipInterface", "canReach", "cidrs"]
		not choice[name] in {"", false, []}
		calico.has(choice, name)
	}
	count(given) != 1
}

# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.bgpconfig_settings_unused

import rego.v1

import data.lib.calico

resource := input

warn contains msg if {
	not calico.accepted(resource, "bgpconfig_settings_unused")
	some place in broken
	msg := concat("", [
		"bgpconfig_settings_unused: A BGPConfiguration has settings that nothing uses (",
		place,
		"). ",
		"Newer releases refuse the object; older ones take it, and the setting has no effect. ",
		"Remove nodeMeshPassword and nodeMeshMaxRestartTime where the mesh is off, and communities without prefixes.",
	])
}

broken contains key if {
	calico.is_a(resource, "BGPConfiguration")
	resource.spec.nodeToNodeMeshEnabled == false
	some key in ["nodeMeshPassword", "nodeMeshMaxRestartTime"]
	resource.spec[key]
}

broken contains "communities" if {
	calico.is_a(resource, "BGPConfiguration")
	count(resource.spec.communities) > 0
	count(calico.get(resource.spec, "prefixAdvertisements", [])) == 0
}

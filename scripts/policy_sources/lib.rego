groups := {"projectcalico.org", "crd.projectcalico.org"}

# A field that may be absent; `has` is also true for false and 0.
get(resource, key, otherwise) := object.get(resource, key, otherwise)

has(resource, key) if key in object.keys(resource)

group(resource) := split(resource.apiVersion, "/")[0]

is_a(resource, kind) if {
	resource.kind == kind
	group(resource) in groups
}

mode(spec, key) := word if {
	word := get(spec, key, "Never")
	word != ""
}

# A pool of an IPPool or an Installation in one form.
pools(resource) := [pool] if {
	is_a(resource, "IPPool")
	spec := resource.spec
	pool := {
		"cidr": get(spec, "cidr", ""),
		"ipip": mode(spec, "ipipMode"),
		"vxlan": mode(spec, "vxlanMode"),
		"block": block(spec),
		"nat": get(spec, "natOutgoing", false),
		"disabled": get(spec, "disabled", false),
		"uses": get(spec, "allowedUses", []),
		"export_disabled": get(spec, "disableBGPExport", false),
	}
}

pools(resource) := found if {
	resource.kind == "Installation"
	group(resource) == "operator.tigera.io"
	found := [pool |
		some one in get(get(resource.spec, "calicoNetwork", {}), "ipPools", [])
		pool := {
			"cidr": get(one, "cidr", ""),
			"ipip": ipip(encapsulation(one)),
			"vxlan": vxlan(encapsulation(one)),
			"block": block(one),
			"nat": get(one, "natOutgoing", "Enabled") != "Disabled",
			"disabled": not_calicos(resource),
			"uses": get(one, "allowedUses", []),
			"export_disabled": get(one, "disableBGPExport", false),
		}
	]
}

encapsulation(one) := one.encapsulation

encapsulation(one) := "None" if {
	not has(one, "encapsulation")
	contains(get(one, "cidr", ""), ":")
}

encapsulation(one) := "IPIP" if {
	not has(one, "encapsulation")
	not contains(get(one, "cidr", ""), ":")
}

ipip(word) := object.get({"IPIP": "Always", "IPIPCrossSubnet": "CrossSubnet"}, word, "Never")

vxlan(word) := object.get({"VXLAN": "Always", "VXLANCrossSubnet": "CrossSubnet"}, word, "Never")

# Another plugin than Calico gives pods their addresses, as by default in the clouds' own clusters.
default_type(spec) := "other" if get(spec, "kubernetesProvider", "") in {"AKS", "EKS", "GKE"}

default_type(spec) := "Calico" if not get(spec, "kubernetesProvider", "") in {"AKS", "EKS", "GKE"}

not_calicos(resource) := get(get(resource.spec, "cni", {}), "type", default_type(resource.spec)) != "Calico"

block(spec) := size if {
	size := get(spec, "blockSize", 0)
	size != 0
}

block(spec) := 26 if {
	get(spec, "blockSize", 0) == 0
	not contains(get(spec, "cidr", ""), ":")
}

block(spec) := 122 if {
	get(spec, "blockSize", 0) == 0
	contains(get(spec, "cidr", ""), ":")
}

sized(pool) if regex.match(`^[0-9a-fA-F:.]+/[0-9]{1,3}$`, pool.cidr)

for_pods(pool) if {
	not pool.disabled
	not "LoadBalancer" in pool.uses
}

lists_port(ports, wanted) if {
	some one in ports
	one.port in wanted
	lower(sprintf("%v", [get(one, "protocol", "tcp")])) == "tcp"
}

agents(resource) := [container |
	resource.kind == "DaemonSet"
	some container in resource.spec.template.spec.containers
	container.name == "calico-node"
]

# A variable's value; `otherwise` where it is not set, and a word of its own where it comes from elsewhere.
value(container, name, otherwise) := otherwise if count(variables(container, name)) == 0

value(container, name, _) := get(variables(container, name)[0], "value", "(from elsewhere)") if {
	count(variables(container, name)) > 0
}

variables(container, name) := [one |
	some one in get(container, "env", [])
	one.name == name
]

accepted(resource, rule) if {
	told := get(get(get(resource, "metadata", {}), "annotations", {}), "lint.netmedic.calico/accept", "")
	regex.match(concat("", [`(^|[,\s])`, rule, `($|[,\s])`]), told)
}

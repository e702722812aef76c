# shellcheck shell=sh
# shellcheck disable=SC2154,SC1007,SC2034,SC2046,SC2086,SC2116,SC2005,SC2015,SC2064,SC2012,SC2009,SC1010,SC2194,SC2030,SC2031
# --- small files, for the readers on the controller: of each only what they look at ---

# In files.txt "=PATH TIME" begins a file, "|" stands before a line of it, ":PATH:LINE" is both at once, "!PATH" was too
# large, "@PATH TARGET" is a link, "*PATH IAT EXP" a token's times. "." at the end says that it is all.
entry() { printf "=%s\t%s\n" "$1" "$2"; }
barred() { sed "s/^/|/"; echo; }
matched() { pattern=$1; shift; limited grep -HE -e "$pattern" "$@" 2>/dev/null | sed "s/^/:/"; }
named() { for file in "$@"; do [ -f "$file" ] && entry "$file"; done; }

# seen_inside ROOT PATH: where a process with that root finds it. The kernel follows links from our own root.
seen_inside() {
  done_= todo=$2/ hops=0
  while [ -n "$todo" ]; do
    part=${todo%%/*}; todo=${todo#*/}
    case $part in ""|.) continue ;; ..) done_=${done_%/*}; continue ;; esac
    target=
    [ -L "$1$done_/$part" ] && [ $hops -lt 40 ] && target=$(readlink "$1$done_/$part" 2>/dev/null)
    if [ -n "$target" ]; then
      hops=$((hops + 1)); todo=$target/$todo
      case $target in /*) done_= ;; esac
    else
      done_=$done_/$part
    fi
  done
  echo "$1$done_"
}

kernel_files() {
  matched "" /proc/net/stat/nf_conntrack /proc/net/stat/arp_cache /proc/net/stat/ndisc_cache
  matched "^TcpExt:" /proc/net/netstat
  matched "^(Tcp|Udp):" /proc/net/snmp
  printf "%s\n" "$first" | sed "s,^,:/began,"
  grep -E "^($kernel_parts) " /proc/modules 2>/dev/null | sed -e "s/ .*/ /" -e "s,^,:/proc/modules:,"
  for part in $(echo "$kernel_parts" | tr "|" " "); do [ -d "/sys/module/$part" ] && entry "/sys/module/$part/there"; done
  release=$(uname -r)
  for file in "/lib/modules/$release/modules.builtin" "/lib/modules/$release/modules.dep"; do
    [ -s "$file" ] || continue
    entry "$file"; echo "|#"
    limited grep -oE "$kernel_files" "$file" | sort -u | barred
  done
  if [ -s "/boot/config-$release" ]; then
    entry "/boot/config-$release"; echo "|#"
    limited grep -E "^CONFIG_($kernel_options)=[ym]" "/boot/config-$release" | barred
  elif [ -r /proc/config.gz ]; then
    entry "/boot/config-$release"; echo "|#"
    limited gunzip -c </proc/config.gz 2>/dev/null | grep -E "^CONFIG_($kernel_options)=[ym]" | barred
  fi
  matched "^FLANNEL_(MTU|NETWORK|IPV6_NETWORK)=" /run/flannel/subnet.env
  matched "" /sys/class/dmi/id/sys_vendor /sys/class/dmi/id/product_name
}

# What keeps BIRD waiting: the host's load, and the limits of Calico's containers.
strain_files() {
  matched "" /proc/loadavg /proc/pressure/cpu /proc/pressure/memory /proc/pressure/io /sys/devices/system/cpu/online
  grep -HvE "^ *(cali|veth)" /proc/net/dev | sed "s/^/:/"
  matched "^oom_kill " /proc/vmstat
  set --
  for pid in $grouped; do set -- "$@" "/proc/$pid/cgroup"; done
  [ $# -gt 0 ] || return
  matched "" "$@"
  groups=$(sed "s/^[^:]*:[^:]*://" "$@" 2>/dev/null | sort -u | grep "^/." | head -n 32)
  set --
  for group in $groups; do
    case $group in */..*) continue ;; esac
    parent=${group%/*}
    case ${parent##*/} in *pod*) ;; *) parent=$group ;; esac
    for name in cpu.stat memory.events memory.oom_control; do
      set -- "$@" "/sys/fs/cgroup$group/$name" /sys/fs/cgroup/*"$group/$name" "/sys/fs/cgroup$parent/$name" /sys/fs/cgroup/*"$parent/$name"
    done
  done
  [ $# -gt 0 ] && matched "" $(printf "%s\n" "$@" | sort -u)
}

# Of a configuration's texts only the types of plugins stay: others may be credentials.
skeleton() {
  tr -d "\r\n" | sed -e 's/\\./_/g' -e 's/"[^"]*"/\
&\
/g' | sed -e '/^"type"$/{' -e n -e '/^[[:space:]]*:[[:space:]]*$/{' -e n -e '/^"[A-Za-z0-9_.-]*"$/b' -e '}' -e '}' \
    -e '/^"plugins"$/b' -e 's/^".*/""/' -e t -e 's/[[:space:]]//g' -e 's/[^][{}:,]\{1,\}/0/g' | tr -d "\n"
}

# The folder that the container runtime reads; credentials of registries stand in the same file.
runtime_files() {
  for file in $runtime_configurations; do
    [ -s "$file" ] && [ -r "$file" ] || continue
    entry "$file"; echo "|#"
    line=$(limited head -c 262144 "$file" | sed -nE "s/^[[:space:]]*(($runtime_settings)[[:space:]]*=[[:space:]]*(\"[^\"]*\"|'[^']*')).*/\1/p" | head -n 1)
    printf "%s\n" "$line" | barred
    line=${line#*=}; line=${line#*[\"\']}; line=${line%?}
    case " $cni_folders " in *" ${line%/} "*) ;; *) case $line in */..*) ;; /*) runtime_folder=${line%/} ;; esac ;; esac
    return
  done
}

# Of a distribution's files only what kubelet is told of its name and address: tokens stand beside it.
distribution_files() {
  case $distribution in
    k3s*)
      for file in "$k3s_folder"/config.yaml "$k3s_folder"/config.yaml.d/*.yaml "$k3s_folder"/config.yaml.d/*.yml; do
        [ -s "$file" ] || continue
        entry "$file"
        limited head -c 65536 "$file" | of_k3s | barred
      done ;;
    kubelite)
      for file in ${args_file:-$microk8s_file}; do
        [ -s "$file" ] || continue
        entry "$file"
        limited head -c 65536 "$file" | grep -oE -e "--($told_flags)(=|[[:blank:]]+)[^[:blank:]]+" | barred
      done ;;
  esac
}

of_k3s() {
  has awk && flags=$told_flags awk '
function arg(text) { gsub(/[]["\047 \t]/, "", text); sub(/^-+/, "", text)
  if (text ~ "^(" ENVIRON["flags"] ")=[A-Za-z0-9_.:,/-]+$") print "- \"" text "\"" }
/^[ \t]*(#|$)/ { next }
/^[ \t]*- / { sub(/^[ \t]*- /, ""); sub(/ #.*/, "")
  if (key == "kubelet-arg") arg($0)
  else if (key != "" && $0 ~ /^[A-Za-z0-9_.:,"\047-]+$/) print "- " $0
  next }
{ key = "" }
match($0, /^["\047]?(node-ip|node-name|kubelet-arg)[+]?["\047]?[ \t]*:/) {
  key = substr($0, 1, RLENGTH); rest = substr($0, RLENGTH + 1); gsub(/[^a-z-]/, "", key); sub(/ #.*/, "", rest)
  if (key == "kubelet-arg") { print key ":"; size = split(rest, parts, ","); for (number = 1; number <= size; number++) arg(parts[number]) }
  else if (rest ~ /^[]A-Za-z0-9_.:,["\047 \t-]*$/) print key ":" rest
  else key = "" }'
}

cni_there= unwell= runtime_folder=
cni_files() {
  for folder in $cni_folders $runtime_folder; do
    for file in "$folder"/*.conf "$folder"/*.conflist "$folder"/*.json; do [ -f "$file" ] && cni_there=yes; done
    for file in "$folder"/*.conf* "$folder"/*.json; do
      [ -f "$file" ] || continue
      entry "$file"
      case $file in *.conf|*.conflist|*.json) limited head -c 262144 "$file" | skeleton | barred ;; esac
    done | head -n 256
    [ -f "$folder/$cni_kubeconfig" ] || continue
    entry "$folder/$cni_kubeconfig"
    # Only two times of the token leave the node.
    payload=$(sed -n "s/^[- ]*token: *[\"']\{0,1\}[^.]*[.]\([A-Za-z0-9_-]*\)[.].*/\1/p" "$folder/$cni_kubeconfig" 2>/dev/null | head -n 1 | tr "_-" "/+")
    case $((${#payload} % 4)) in 2) payload=$payload== ;; 3) payload=$payload= ;; esac
    claims=$(printf "%s" "$payload" | base64 -d 2>/dev/null | tr -d "\000\n")
    expires=$(printf "%s\n" "$claims" | sed -n 's/.*"exp" *: *\([0-9][0-9.]*\).*/\1/p')
    printf "*%s\t%s\t%s\n" "$folder/$cni_kubeconfig" "$(printf "%s\n" "$claims" | sed -n 's/.*"iat" *: *\([0-9][0-9.]*\).*/\1/p')" "$expires"
    case ${expires%.*} in ""|???????????*) ;; *) [ "${expires%.*}" -le "${began%.*}" ] && unwell=yes ;; esac
  done
}

# Nothing but certificates: at any other block all that follows is left out.
certificates() {
  head -c 262144 | sed -n -e '/-----BEGIN CERTIFICATE-----/,/-----END CERTIFICATE-----/{' -e '/KEY-----/q' \
    -e '/-----BEGIN [^C]/q' -e 's/^/|/p' -e '}'
  echo
}
certificate() { entry "$1"; limited cat "$2" 2>/dev/null | certificates; }

certificate_files() {
  set --
  for file in $certificate_files; do [ -f "$file" ] && set -- "$@" "$file"; done
  for folder in $certificate_folders; do
    for file in "$folder"/*.crt "$folder"/*.pem "$folder"/*.cert; do [ -f "$file" ] && set -- "$@" "$file"; done
  done
  # What is known by several names is one certificate.
  inodes=" "
  [ $# -gt 0 ] && ls -diL "$@" 2>/dev/null | while read -r inode file; do
    case $inodes in *" $inode "*) continue ;; esac
    inodes="$inodes$inode "
    certificate "$file" "$file"
  done
  for file in $kubeconfigs; do
    data=$(sed -n "s/^[- ]*client-certificate-data: *//p" "$file" 2>/dev/null | head -n 1)
    [ -n "$data" ] && { entry "$file"; printf "%s\n" "$data" | base64 -d 2>/dev/null | certificates; }
  done
  for pid in $certified; do
    for file in $(tr "\000" "\n" 2>/dev/null <"/proc/$pid/environ" | sed -n "s,^\($certificate_variables\)=/,/,p" | sort -u); do
      place=$(seen_inside "/proc/$pid/root" "$file")
      [ -f "$place" ] && certificate "/proc/$pid/root$file" "$place"
    done
  done
}

manager_files() {
  states= numbers=
  for folder in /sys/class/net/cali* /sys/class/net/tunl* /sys/class/net/vxlan* /sys/class/net/flannel* \
    /sys/class/net/wireguard.cali /sys/class/net/wg-v6.cali; do
    [ -r "$folder/ifindex" ] && read -r number <"$folder/ifindex" && numbers="$numbers $number"
  done
  case $managers in *NetworkManager*)
    for folder in $manager_folders; do
      named "$folder"/*.conf
      matched '^[[:space:]]*\[|^[[:space:]]*unmanaged-devices' "$folder"/*.conf
    done
    matched '^[[:space:]]*\[|^[[:space:]]*unmanaged-devices' "$manager_file"
    for number in $numbers; do states="$states $manager_states/$number"; done
    [ -n "$states" ] && states=$(grep -lE '^managed=(true|1|yes)' $states 2>/dev/null)
    [ -n "$states" ] && matched '^\[|^managed=' $states ;;
  esac
  case $managers in *systemd-network*)
    for folder in $networkd_folders; do
      [ -s "$folder/networkd.conf" ] && { entry "$folder/networkd.conf"; echo "|#"; }
      named "$folder"/networkd.conf.d/*.conf "$folder"/network/*.network
      matched '^[[:space:]]*\[|^[[:space:]]*ManageForeignRoutes' "$folder/networkd.conf" "$folder"/networkd.conf.d/*.conf
      matched '^[[:space:]]*\[|^[[:space:]]*(Name|Unmanaged)[[:space:]]*=' "$folder"/network/*.network
    done
    states=
    for number in $numbers; do states="$states $networkd_states/$number"; done
    [ -n "$states" ] && states=$(grep -l '^ADMIN_STATE=[^ul]' $states 2>/dev/null)
    [ -n "$states" ] && matched '^ADMIN_STATE=' $states ;;
  esac
}

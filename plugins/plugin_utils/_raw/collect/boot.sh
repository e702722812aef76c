# shellcheck shell=sh
# shellcheck disable=SC2154,SC1007,SC2034,SC2046,SC2086,SC2116,SC2005,SC2015,SC2064,SC2012,SC2009,SC1010,SC2194,SC2030,SC2031
# --- rules that are loaded when the host starts ---

# rules PATH: a file that counts only as a whole.
rules() {
  [ -f "$1" ] || return
  size=$(wc -c <"$1" 2>/dev/null)
  if [ "${size:-0}" -gt 4194304 ]; then printf "!%s\n" "$1"; return; fi
  entry "$1"
  limited cat "$1" 2>/dev/null | barred
}

# nft_script PATH DEPTH: with what it includes.
nft_script() {
  rules "$1"
  [ "$2" -lt 4 ] || return
  for pattern in $(limited sed -n "s/^[[:space:]]*include[[:space:]]*[\"']\([^\"']*\)[\"'].*/\1/p" "$1" 2>/dev/null | head -n 50); do
    case $pattern in /*) ;; *) pattern=/etc/$pattern ;; esac
    for file in $pattern; do nft_script "$file" $(($2 + 1)); done
  done
}

# Also a service of firewalld may include others.
firewalld_services() {
  wanted=$(limited cat "$@" 2>/dev/null | grep -oE "<(service|include)[^>]*(name|service)=[\"'][^\"'/]*[\"']" |
    sed -e "s/[\"']\$//" -e "s/.*[\"']//" | sort -u | head -n 200)
  for name in $wanted; do
    for folder in /etc/firewalld /usr/lib/firewalld; do
      [ -f "$folder/services/$name.xml" ] && { rules "$folder/services/$name.xml"; echo "$folder/services/$name.xml" >&5; break; }
    done
  done
}

firewalld_files() {
  named "$firewalld_file"
  matched "^DefaultZone" "$firewalld_file"
  set -- /etc/firewalld/zones/*.xml /etc/firewalld/policies/*.xml /usr/lib/firewalld/zones/*.xml /usr/lib/firewalld/policies/*.xml
  for file in "$@"; do rules "$file"; done
  for round in 1 2 3; do
    { more=$({ firewalld_services "$@" >&6; } 5>&1); } 6>&1
    set -- $more
    [ $# -gt 0 ] || break
  done
}

boot_files() {
  for file in "$boot_units"/*; do [ -e "$file" ] || [ -L "$file" ] && { entry "$boot_units/there"; break; }; done
  enabled=
  for service in $boot_services; do
    set -- "$boot_units"/*.wants/$service.service "$boot_units"/*.requires/$service.service
    for folder in $boot_sysv; do set -- "$@" "$folder"/S??$service; done
    for folder in $boot_openrc; do set -- "$@" "$folder/$service"; done
    for file in "$@"; do
      [ -e "$file" ] || [ -L "$file" ] || continue
      entry "$file"; enabled="$enabled $service"
    done
    [ -L "$boot_units/$service.service" ] &&
      printf "@%s\t%s\n" "$boot_units/$service.service" "$(readlink "$boot_units/$service.service" 2>/dev/null)"
  done
  for pair in $boot_iptables; do
    case " $enabled " in *" ${pair%%:*} "*) rules "${pair#*:}" ;; esac
  done
  case " $enabled " in *" nftables "*)
    for file in $boot_nft; do [ -e "$file" ] && { nft_script "$file" 0; break; }; done ;;
  esac
  case " $enabled " in *" ufw "*)
    named "$ufw_file"
    matched "^[[:space:]]*ENABLED" "$ufw_file"
    if grep -qi "^[[:space:]]*ENABLED *= *[\"']*yes" "$ufw_file" 2>/dev/null; then
      matched "^[[:space:]]*(IPV6|DEFAULT_)" /etc/default/ufw
      for file in /etc/ufw/before.rules /etc/ufw/user.rules /etc/ufw/after.rules /etc/ufw/before6.rules /etc/ufw/user6.rules \
        /etc/ufw/after6.rules /lib/ufw/user.rules /lib/ufw/user6.rules; do rules "$file"; done
    fi ;;
  esac
  case " $enabled " in *" firewalld "*) firewalld_files ;; esac
}

printf "\n%s> files.txt\n# netmedic.calico files 1\n" "$mark"
{ kernel_files; strain_files; runtime_files; cni_files; certificate_files; manager_files; distribution_files; control_files; boot_files; script_files; log_files; echo .; } 2>/dev/null | head -c 33554432
printf "\n%s< 0\n" "$mark"

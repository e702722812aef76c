# shellcheck shell=sh
# shellcheck disable=SC2154,SC1007,SC2034,SC2046,SC2086,SC2116,SC2005,SC2015,SC2064,SC2012,SC2009,SC1010,SC2194,SC2030,SC2031
# --- scripts, and somebody's own units, that may load filters when the host starts ---

# Of these only their paths leave the node: "nft" stands for whatever they call. The controller asks the same of it as of
# a node's own files.
calls() { limited grep -lE "^[[:blank:]]*([^#;[:blank:]A-Za-z0-9_.-]|[^#;[:blank:]].*[^A-Za-z0-9_.-])?($filter_programs)(\$|[^A-Za-z0-9_.-])" "$@" 2>/dev/null; }

# unit_text LINK: where the controller looks for a unit's text.
unit_text() {
  target=$(readlink "$1" 2>/dev/null)
  for path in "$target" $(for folder in $unit_folders; do echo "$folder/${1##*/}"; done) "$1"; do
    case $path in /*) [ -s "$path" ] && { echo "$path"; return; } ;; esac
  done
}

# unit LINK EXEC: a unit that is started at boot, and of what it runs only this.
unit() {
  case " $boot_services " in *" $(basename "$1" .service) "*) return ;; esac
  text=$(unit_text "$1")
  entry "$1"
  [ -L "$1" ] && printf "@%s\t%s\n" "$1" "$(readlink "$1")"
  [ -L "$boot_units/${1##*/}" ] && printf "@%s\t%s\n" "$boot_units/${1##*/}" "$(readlink "$boot_units/${1##*/}")"
  [ -n "$text" ] && printf ":%s:ExecStart=%s\n" "$text" "$2"
}

script_files() {
  set --
  for file in $boot_scripts; do [ -f "$file" ] && set -- "$@" "$file"; done
  for folder in $boot_script_folders; do for file in "$folder"/*; do [ -f "$file" ] && set -- "$@" "$file"; done; done
  [ $# -gt 0 ] && calls "$@" | sed -e "s/^/:/" -e "s/\$/:nft/"
  entry /boot_scripts
  set --
  for file in "$boot_units"/*.wants/*.service "$boot_units"/*.requires/*.service; do [ -e "$file" ] && set -- "$@" "$file"; done
  for service in $boot_other_services; do
    for file in "$boot_units"/*.wants/"$service".service "$boot_units"/*.requires/"$service".service; do
      [ -e "$file" ] || [ -L "$file" ] && unit "$file" -
    done
  done
  if [ $# -gt 0 ]; then
    runs=$(limited grep -HE "^Exec[A-Za-z]*[[:blank:]]*=" "$@" /dev/null 2>/dev/null | head -n 4000)
    printf "%s\n" "$runs" | grep -E "=[-@:+![:blank:]]*([^#;].*[^A-Za-z0-9_.-])?($filter_programs)(\$|[^A-Za-z0-9_.-])" | sed "s/:Exec.*//" | sort -u |
      while read -r file; do unit "$file" nft; done
    set -- /dev/null
    for file in $(printf "%s\n" "$runs" | sed "s/^[^=]*=//" | tr " \t;'\"" "[\n*]" | sed -n "s,^[-@:+!]*\(/.*\),\1,p" | sort -u | head -n 400); do
      [ -f "$file" ] && set -- "$@" "$file"
    done
    scripts=$(limited head -c 2 "$@" 2>/dev/null | sed -n -e "/^==> .* <==\$/{" -e "s/^==> \(.*\) <==\$/\1/" -e h -e "}" -e "/^#!/{" -e g -e p -e "}")
    [ -n "$scripts" ] && for script in $(calls $scripts /dev/null); do
      printf ":%s:#!\n:%s:nft\n" "$script" "$script"
      printf "%s\n" "$runs" | grep -F -e "$script" | sed "s/:Exec.*//" | sort -u | while read -r file; do unit "$file" "$script"; done
    done
  else
    for name in $( (for file in $(calls /etc/init.d/* /dev/null); do basename "$file"; done; echo $boot_other_services) | tr " " "\n" | sort -u); do
      case " $boot_services " in *" $name "*) continue ;; esac
      set --
      for folder in $boot_sysv; do set -- "$@" "$folder"/S??$name; done
      for folder in $boot_openrc; do set -- "$@" "$folder/$name"; done
      for file in "$@"; do [ -e "$file" ] || [ -L "$file" ] && entry "$file"; done
      [ -f "/etc/init.d/$name" ] && calls "/etc/init.d/$name" | sed -e "s/^/:/" -e "s/\$/:nft/"
    done
  fi
}

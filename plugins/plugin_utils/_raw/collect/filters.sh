# shellcheck shell=sh
# shellcheck disable=SC2154,SC1007,SC2034,SC2046,SC2086,SC2116,SC2005,SC2015,SC2064,SC2012,SC2009,SC1010,SC2194,SC2030,SC2031
# --- packet filters: only what the kernel has already, for the programs would load it ---

in_kernel() {
  [ ! -e /proc/modules ] || [ -d "/sys/module/$1" ] || grep -q "^$1 " /proc/modules 2>/dev/null ||
    grep -q "/$1[.]ko" "/lib/modules/$(uname -r)/modules.builtin" 2>/dev/null
}
saved=
save() {
  heard "$@"
  section "$name-save.txt" "$code" "$said"
  saved="$saved$said"
}
if [ "$(id -u)" = 0 ]; then
  for name in iptables ip6tables; do
    listing=/proc/net/ip_tables_names; [ $name = ip6tables ] && listing=/proc/net/ip6_tables_names
    names=$(echo $(cat $listing 2>/dev/null))
    if [ -n "$names" ]; then
      fact "legacy$tab$name$tab$names"
      if has $name-legacy-save; then save $name-legacy-save -c
      elif has $name-save; then case $($name --version 2>/dev/null) in *nf_tables*) ;; *) save $name-save -c ;; esac; fi
    fi
  done
  if in_kernel nf_tables; then
    fact "nf_tables${tab}yes"
    for name in iptables ip6tables; do
      if has $name-nft-save; then save $name-nft-save -c
      elif has $name-save; then case $($name --version 2>/dev/null) in *nf_tables*) save $name-save -c ;; esac; fi
    done
    if has nft; then
      show nft-ruleset.json nft -j list chains
      limited nft list tables 2>/dev/null | head -n 64 | while read -r _ family table; do
        case "$family $table" in
          "ip "*|"ip6 "*) case " raw mangle nat filter security " in
            *" $table "*) case $saved in *"able \`$table' is incompatible"*) ;; *) [ -n "$saved" ] && continue ;; esac ;;
          esac ;;
        esac
        show nft-ruleset.json nft -j list table "$family" "$table"
      done
    fi
  else
    fact "nf_tables${tab}no"
  fi
  case $saved in *match-set*|*--set*) has ipset && in_kernel ip_set && show ipset.txt ipset save ;; esac
fi

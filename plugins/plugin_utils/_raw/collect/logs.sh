# shellcheck shell=sh
# shellcheck disable=SC2154,SC1007,SC2034,SC2046,SC2086,SC2116,SC2005,SC2015,SC2064,SC2012,SC2009,SC1010,SC2194,SC2030,SC2031
# --- logs: of each only the lines that may tell something, without secrets ---

cut_secrets() {
  sed -e 's|://[^/@[:space:]"]*:[^/@[:space:]"]*@|://…@|g' \
    -e 's/\([Tt][Oo][Kk][Ee][Nn]\|[Pp][Aa][Ss][Ss][Ww][Dd]\|[_-][Kk][Ee][Yy]\)\(["'\'']\{0,1\}=["'\'']\{0,1\}\)[^[:space:]&"'\'',}]\{1,\}/\1\2…/g' \
    -e 's/\([Tt][Oo][Kk][Ee][Nn]\|[Pp][Aa][Ss][Ss][Ww][Dd]\|[_-][Kk][Ee][Yy]\)\(["'\''][[:space:]]*:[[:space:]]*["'\'']\)[^[:space:]&"'\'',}]\{1,\}/\1\2…/g' \
    -e 's/\([Bb][Ee][Aa][Rr][Ee][Rr]\)  *[A-Za-z0-9_.~+\/=-]\{8,\}/\1 …/g' \
    -e 's/\([Pp][Aa][Ss][Ss][Ww][Oo][Rr][Dd]\|[Ss][Ee][Cc][Rr][Ee][Tt]\)\([[:space:]]*[:=][[:space:]]*\)[^[:space:]].*/\1\2…/' \
    -e "s/\([Pp][Aa][Ss][Ss][Ww][Oo][Rr][Dd]\|[Ss][Ee][Cc][Rr][Ee][Tt]\)\([[:space:]]\{1,\}\)[\"'].*/\1\2…/" \
    -e 's/eyJ[A-Za-z0-9_.+\/=-]*/…/g'
}

# fresh FILE: sets `at`; says whether it was written to within the window.
fresh() {
  [ -f "$1" ] && [ -r "$1" ] || return
  at=$(modified "$1"); whole=${at%.*}
  [ "${whole:-0}" -ge $((${began%.*} - log_window)) ]
}

# ended FILE LIMIT: the end of a log, from a line's beginning.
ended() {
  if [ "$(wc -c <"$1")" -gt "$2" ]; then limited tail -c "$2" "$1" | sed 1d; else limited cat "$1"; fi
}

# begins FILE LIMIT: of a log of which only the end is read, how that begins: it shows how far it reaches back.
begins() {
  [ "$(wc -c <"$1")" -gt "$2" ] || return
  printf "~%s\t%s\n" "$1" "$(limited tail -c "$2" "$1" | sed -n "2{s/^{\"log\":.*,\"time\":/{\"log\":\"\",\"stream\":\"\",\"time\":/;p;q;}" | cut -c 1-64 | cut_secrets)"
}

# logged FILE LIMIT FILTER
logged() {
  fresh "$1" || return
  entry "$1" "$at"
  begins "$1" "$2"
  ended "$1" "$2" | "$3" | cut_secrets | tail -n 2000 | barred
}

of_calico() { grep -F -e "$log_levels" | grep -F -e "$log_words"; }
of_flannel() { grep -E "[WEF][0-9]{4} [0-9]{2}:[0-9]{2}:"; }

# Lines that begin with a blank belong to the one before them.
of_kubelet() {
  if has awk; then
    words=$kubelet_words awk 'BEGIN { size = split(ENVIRON["words"], words, "\n") }
!/^[ \t]/ { head = $0; told = 0; of_kubelet = head ~ / (kubelet|k3s|rke2|k0s|kubelite|microk8s\.daemon-kubelite)(\[[0-9]+\])?: / || head ~ /[IWEF][0-9][0-9][0-9][0-9] [0-9][0-9]:/ }
of_kubelet { for (number = 1; number <= size; number++) if (index($0, words[number])) { if (/^[ \t]/ && !told) print head; print; told = 1; break } }'
  else
    grep -F -e "$kubelet_words" | grep -E " (kubelet|k3s|rke2|k0s|kubelite|microk8s[.]daemon-kubelite)(\[[0-9]+\])?: |[IWEF][0-9]{4} "
  fi
}

# newest COUNT FILE…
newest() { count=$1; shift; [ $# -gt 0 ] && ls -t -L "$@" 2>/dev/null | head -n "$count"; }

# pod_logs COUNT CONTAINER WORD…: the newest logs of a container, in pods whose names have one of the words in them.
pod_logs() {
  most=$1 container=$2; shift 2
  found_logs=
  for word in "$@"; do
    for file in /var/log/pods/*"$word"*/"$container"/*.log; do [ -f "$file" ] && found_logs="$found_logs$nl$file"; done
  done
  newest "$most" $found_logs
}

log_files() {
  logs=$(pod_logs 2 calico-node $calico_pods)
  [ -n "$logs" ] || for words in $log_services; do logs="$logs /var/log/calico/$words/current"; done
  for file in $logs $(pod_logs 1 install-cni $calico_pods) $(pod_logs 1 "$typha_pods" $typha_pods); do
    logged "$file" 262144 of_calico
  done
  for file in $(pod_logs 1 kube-flannel $calico_pods); do logged "$file" 262144 of_flannel; done
  logged "$cni_log" 65536 of_calico
  told_by_kubelet=
  for file in $kubelet_logs; do
    fresh "$file" || continue
    entry "$file" "$at"
    begins "$file" 262144
    told_by_kubelet=$(ended "$file" 262144 | of_kubelet | cut_secrets | tail -n 1000)
    printf "%s\n" "$told_by_kubelet" | barred
    break
  done
  # The journal is asked only if something may be amiss that kubelet's lines explain, as by the controller.
  [ -d /run/systemd/system ] && [ -z "$told_by_kubelet" ] && has journalctl || return
  case ${pid4:+b}${pid6:+b}${roots:+b}-${keeper:+k}-${runtime:+r}-${cni_there:+c}-$young$unwell in *b*-k-r-c-) ;; *)
    entry /run/systemd/system/there
    entry /journal
    limited journalctl -q --no-pager -o short-iso $kubelet_units -n 400 --since "-${log_window}s" 2>/dev/null | of_kubelet | cut_secrets | barred ;;
  esac
}

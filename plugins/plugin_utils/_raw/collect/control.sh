# shellcheck shell=sh
# shellcheck disable=SC2154,SC1007,SC2034,SC2046,SC2086,SC2116,SC2005,SC2015,SC2064,SC2012,SC2009,SC1010,SC2194,SC2030,SC2031
# --- what this node's programs were told of the API server, etcd and Typha: whose connections are to be looked for ---

# server_of KUBECONFIG: nothing but its (first) server, unless that has a password in it.
server_of() {
  sed -n -e "/@/d" -e "s/^[[:blank:]]*[\"']\{0,1\}server[\"']\{0,1\}[[:blank:]]*:[[:blank:]]*[\"']\{0,1\}\(https\{0,1\}:\/\/[^[:space:]\"'@]*\).*/\1/p" \
    "$1" 2>/dev/null | head -n 1 | cut -c 1-512
}

# ends_at URL: puts into `remotes` how the kernel's table has the other ends of connections there. A name is looked for
# in /etc/hosts only. Of IPv6 only the port is looked at; the controller looks at the rest.
ends_at() {
  rest=${1#*://}; rest=${rest%%/*}
  case $rest in
    \[*\]*) end=${rest#\[}; end=${end%%\]*}; port=${rest##*\]}; port=${port#:} ;;
    *:*) end=${rest%%:*}; port=${rest##*:} ;;
    *) end=$rest; port= ;;
  esac
  case $1 in http:*) port=${port:-80} ;; *) port=${port:-443} ;; esac
  case $port in *[!0-9]*|??????*) return ;; esac
  case $end in
    ""|*[!0-9A-Za-z_.:-]*) return ;;
    *[!0-9.]*)
      case $end in *:*) ;; *)
        line=$(sed -e "s/#.*//" /etc/hosts 2>/dev/null | grep -iE "^[[:blank:]]*[0-9A-Fa-f:.]+[[:blank:]](.*[[:blank:]])?$end([[:blank:]]|\$)" | head -n 1)
        [ -n "$line" ] || return
        hosts="$hosts$line$nl"
        set -- $line; end=$1 ;;
      esac ;;
  esac
  case $end in
    *:*) remotes="$remotes|[0-9A-F]{32}:$(printf %04X "$port")" ;;
    *.*.*.*)
      set -- $(echo "$end" | tr "." " ")
      remotes="$remotes|[0-9A-F]*($(printf "%02X%02X%02X%02X|%02X%02X%02X%02X" "$4" "$3" "$2" "$1" "$1" "$2" "$3" "$4")):$(printf %04X "$port")" ;;
  esac
}

# environ_of NAME: its values, as Calico's processes were told.
environ_of() { printf "%s\n" "$told" | sed -n "s/^environ${tab}[0-9]*$tab$1=//p" | sort -u | head -n 4; }

hosts= remotes= servers=
given=$(printf "%s\n" "$told" | sed -n "/^process$tab/s/.*$tab--kubeconfig=\([^$tab]*\).*/\1/p" | tail -n 1)
for file in $given $server_kubeconfigs; do
  [ -f "$file" ] || continue
  url=$(server_of "$file")
  [ -n "$url" ] && { servers="$servers:$file:server: $url$nl"; ends_at "$url"; }
done
for folder in $cni_folders; do
  [ -f "$folder/$cni_kubeconfig" ] || continue
  url=$(server_of "$folder/$cni_kubeconfig")
  [ -n "$url" ] && { servers="$servers:$folder/$cni_kubeconfig:server: $url$nl"; ends_at "$url"; }
done
own_ports=$health_ports
case $told in *"=etcdv3"*|*_SERVICE_HOST=*|*TYPHA*|*_HEALTHPORT=*)
  api=$(environ_of KUBERNETES_SERVICE_HOST | head -n 1)
  case $api in "") ;; *:*) ends_at "https://[$api]:$(environ_of KUBERNETES_SERVICE_PORT | head -n 1)" ;; *) ends_at "https://$api:$(environ_of KUBERNETES_SERVICE_PORT | head -n 1)" ;; esac
  case $told in *"=etcdv3"*) for url in $(environ_of ETCD_ENDPOINTS | head -n 1 | tr "," " " | cut -c 1-1024); do ends_at "$url"; done ;; esac
  for url in $(environ_of FELIX_TYPHAADDR); do ends_at "$url"; done
  own_ports="$own_ports $(echo $(environ_of "[A-Z]*_HEALTHPORT" | grep -E "^[0-9]{1,5}\$"))" ;;
esac

# asked HOST PORT: what a program says of its health to whom asks as kubelet does, and how the asking ended.
asked() {
  seconds=1
  if has bash; then
    # shellcheck disable=SC2016
    limited bash -c 'exec 3<>"/dev/tcp/$1/$2" && printf "GET /readiness HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n" >&3 && head -c 65536 <&3' - "$1" "$2"
  elif has curl; then
    case $1 in *:*) set -- "[$1]" "$2" ;; esac
    limited curl -s -i -g --http1.0 --noproxy "*" "http://$1:$2/readiness"
  elif has nc; then
    printf "GET /readiness HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n" | limited nc "$1" "$2"
  else
    (exit 125)
  fi 2>/dev/null
  code=$?
  [ $code = 0 ] || printf "\nended %s\n" "$code"
}

# Only listeners of Calico's own are asked, on this host.
control_files() {
  printf "%s" "$servers"
  printf "%s" "$hosts" | sed "s,^,:/etc/hosts:,"
  for port in $own_ports; do
    hex=$(printf %04X "$port")
    case $table in *":$hex "*) ;; *) continue ;; esac
    line=$(printf "%s\n" "$table" | sed -nE "s/^ *[0-9]+: ([0-9A-F]+):$hex [^ ]+ 0A [^ ]+ [^ ]+ [^ ]+ +[0-9]+ +[0-9]+ ([0-9]+).*/\1 \2/p" | head -n 1)
    [ -n "$line" ] || continue
    holder=$(printf "%s\n" "$found" | sed -n "s/^holder$tab${line#* }$tab\([0-9]*\)$tab.*/\1/p" | head -n 1)
    case " $grouped $certified " in *" ${holder:-none} "*) ;; *) continue ;; esac
    case ${line% *} in
      00000000|0100007F|7F000001|*FFFF00000100007F) end=127.0.0.1 ;;
      *[1-9A-F]*[1-9A-F]*)
        [ ${#line} -lt 32 ] || continue
        line=${line% *}
        end=$(printf "%d.%d.%d.%d" "0x${line#??????}" "0x$(echo "$line" | cut -c 5-6)" "0x$(echo "$line" | cut -c 3-4)" "0x${line%??????}") ;;
      *) end=::1 ;;
    esac
    entry "/health/$port"
    answer=$( (asked "$end" "$port") | head -c 65536 | tr "\000" " ")
    printf "%s\n" "$answer" | barred
    case $answer in HTTP/1.?" 2"*) ;; *) unwell=yes ;; esac
  done
}

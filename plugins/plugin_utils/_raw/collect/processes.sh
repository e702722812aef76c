# shellcheck shell=sh
# shellcheck disable=SC2154,SC1007,SC2034,SC2046,SC2086,SC2116,SC2005,SC2015,SC2064,SC2012,SC2009,SC1010,SC2194,SC2030,SC2031
# --- who runs ---

here=$(readlink /proc/self/ns/net 2>/dev/null)
container_of() { sed -n 's/.*\([0-9a-f]\{64\}\).*/\1/p' "/proc/$1/cgroup" 2>/dev/null | tail -n 1; }
pid4= pid6= roots= clock= images= managers= certified= keeper= grouped= young= runtime= distribution= args_file=
hertz=$(getconf CLK_TCK 2>/dev/null || echo 100)
uptime=; read -r uptime _ 2>/dev/null </proc/uptime
# is_young TICKS: whether what began then began within the window.
is_young() { [ $((${uptime%.*} - ${1:-0} / hertz)) -lt "$log_window" ]; }
for folder in /proc/[0-9]*; do
  comm=; read -r comm 2>/dev/null <"$folder/comm" || continue
  case " $names " in *" $comm "*) ;; *) continue ;; esac
  line=; read -r line 2>/dev/null <"$folder/stat" || continue
  pid=${folder#/proc/}
  set -- ${line##*) }
  state=$1 parent=$2 ticks=${20}
  there=$(readlink "$folder/ns/net" 2>/dev/null)
  container=$(container_of "$pid")
  # Others' command lines may hold tokens: of kubelet's only what is asked for is told.
  case $comm in
    calico*|confd|runsv*|svlogd|bird|bird6)
      grouped="$grouped $pid"
      argv=$(tr "\000\n\t" "\t  " 2>/dev/null <"$folder/cmdline") ;;
    kube-proxy)
      words=$(tr "\000\n\t" "\n  " 2>/dev/null <"$folder/cmdline")
      argv=$comm$tab$(printf "%s\n" "$words" | sed -n "/^--masquerade-all/p" | tr "\n" "\t")
      file=$(printf "%s\n" "$words" | sed -n -e "s/^--config=//p" -e "/^--config\$/{" -e n -e p -e "}" | head -n 1)
      [ -n "$file" ] && grep -q "^ *masqueradeAll: *true" "$folder/root$file" 2>/dev/null && argv=$argv--masquerade-all$tab ;;
    *) argv= ;;
  esac
  case " $kubelets " in *" $comm "*)
    argv=$comm$tab$(tr "\000\n\t" "\n  " 2>/dev/null <"$folder/cmdline" | sed -e "s/^--kubelet-arg=-*/--/" |
      sed -n -e "2{" -e "/^server\$/p" -e "/^agent\$/p" -e "/^controller\$/p" -e "/^worker\$/p" -e "/^kubelet\$/p" -e "}" \
        -e "/^--\($kubelet_flags\)=/p" -e "/^--\($kubelet_flags\)\$/{" -e p -e n -e p -e "}" | tr "\n" "\t")
    for file in $(printf "%s\n" "$argv" | tr "\t" "\n" | sed -n "s,^.*unix://,,p"); do runtime_sockets="$runtime_sockets $file"; done ;;
  esac
  config=0; [ -d "$folder/root/etc/calico/confd/config" ] && config=1
  # Only these of a process' environment: others hold credentials.
  backend=- wanted=
  case $comm in
    calico*|confd|runsv*|svlogd|bird|bird6) wanted=$calico_variables ;;
    k3s*) wanted=$k3s_variables ;;
  esac
  if [ -n "$wanted" ] && [ -r "$folder/environ" ]; then
    environ=$(tr "\000" "\n" 2>/dev/null <"$folder/environ" | sed -n -e "/^ETCD_ENDPOINTS=.*@/d" -e "s/^\($wanted\)=/environ$tab$pid$tab&/p")
    case $environ in *"${tab}CALICO_NETWORKING_BACKEND="*) backend=${environ##*"${tab}CALICO_NETWORKING_BACKEND="}; backend=${backend%%"$nl"*} ;; *) backend= ;; esac
    told="$told$environ$nl"
  fi
  fact "process$tab$pid$tab$parent$tab$state$tab$ticks$tab$there$tab$container$tab$config$tab$backend$tab$comm$tab$argv"
  [ -n "$here" ] && [ -n "$there" ] && [ "$here" != "$there" ] && continue
  case $comm in
    chronyd|ntpd|systemd-timesyn) clock=${clock:-$comm}; continue ;;
    NetworkManager|systemd-network) managers="$managers $comm"; continue ;;
    calico-typha) certified="$certified $pid"; continue ;;
    calico*|confd) certified="$certified $pid" ;;
    runsv*|svlogd|bird|bird6) ;;
    *)
      case " $runtimes " in *" $comm "*) runtime=$pid ;; esac
      case " $kubelets " in *" $comm "*) ;; *) continue ;; esac
      keeper=$pid
      case $comm in k3s*|kubelite) distribution=$comm ;; esac
      case $argv in *--kubelet-args-file=*) args_file=${argv##*--kubelet-args-file=}; args_file=${args_file%%"$tab"*} ;; esac
      case $state in T|t|D) young=yes ;; esac
      is_young "$ticks" && young=yes
      continue ;;
  esac
  case "$config $argv" in
    1*|*calico*) ;;
    *) case $comm in calico*) ;; *) continue ;; esac ;;
  esac
  is_young "$ticks" && young=yes
  case $comm in
    bird) pid4=$pid ;;
    bird6) pid6=$pid ;;
    *) roots="$roots /proc/$pid/root" ;;
  esac
  case " $images " in *" $container "*) ;; *) images="$images $container" ;; esac
done
# A BIRD that is not Calico's counts only where nothing of Calico is.
if [ -z "$pid4$pid6$roots" ] && [ ! -e /var/run/calico ]; then
  for folder in /proc/[0-9]*; do
    read -r comm 2>/dev/null <"$folder/comm" || continue
    [ "$comm" = bird ] && pid4=${folder#/proc/}
    [ "$comm" = bird6 ] && pid6=${folder#/proc/}
  done
fi
for container in $images; do
  for file in /run/containerd/io.containerd.runtime.v2.task/k8s.io /run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io \
    /var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task/k8s.io /run/containers/storage/overlay-containers \
    /var/lib/docker/containers; do
    for name in config.json userdata/config.json config.v2.json; do
      image=$(grep -o '"\(io.kubernetes.cri.image-name\|io.kubernetes.cri-o.ImageName\|Image\)" *: *"[^"]*"' "$file/$container/$name" 2>/dev/null | head -n 1)
      [ -n "$image" ] && fact "image$tab$image"
    done
  done
done

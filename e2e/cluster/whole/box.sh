# The first process of the box: makes its own mounts, then waits and reaps what is orphaned. Run by box.ts in new mount,
# PID, network, cgroup, UTS and IPC namespaces; when it ends, the kernel ends everything else in them and undoes the mounts.
set -eu
state=$1
hostname "$2"

# Mounts of pods reach the kubelet's view and each other, none reaches the machine.
mount --make-rshared /
mount -t proc proc /proc
mount -t sysfs sysfs /sys

# The box's cgroups are the roots of what is seen inside.
if [ "$3" = v2 ]; then
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  # A group with processes gives no controllers to its children (cgroups(7), "no internal processes").
  mkdir /sys/fs/cgroup/init
  echo 1 > /sys/fs/cgroup/init/cgroup.procs
  # The holder has yet to be moved, from outside: who is in a PID namespace cannot name it.
  while [ -s /sys/fs/cgroup/cgroup.procs ]; do sleep 0.02; done
  for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
    echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control
  done
else
  mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
  sed -n 's/^[0-9]*:\(..*\):.*/\1/p' /proc/self/cgroup | while read -r controllers; do
    folder=/sys/fs/cgroup/${controllers#name=}
    mkdir "$folder"
    case $controllers in
    name=*) mount -t cgroup -o "none,$controllers" cgroup "$folder" ;;
    *) mount -t cgroup -o "$controllers" cgroup "$folder" ;;
    esac
  done
fi

# Components find their usual folders; what is in them is the cluster's own.
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/lock /run/netns /run/state
mount --bind "$state" /run/state
mount -t tmpfs -o mode=755 tmpfs /var/lib
for folder in containerd kubelet cni; do
  mkdir -p "/run/state/$folder" "/var/lib/$folder"
  mount --bind "/run/state/$folder" "/var/lib/$folder"
done
mkdir -p "$state" /run/state/pod-logs
mount --bind /run/state "$state"
mount --bind /run/state/pod-logs /var/log

# The kubelet sets these for the whole machine, unless they are so already: here they seem to be (pkg/kubelet/cm,
# setupKernelTunables, and k8s.io/component-helpers/node/util/sysctl for the values).
mkdir /run/sysctl
seem() {
  echo "$2" > "/run/sysctl/$1"
  mount --bind "/run/sysctl/$1" "/proc/sys/$(echo "$1" | tr . /)"
}
seem vm.overcommit_memory 1
seem vm.panic_on_oom 0
seem kernel.panic 10
seem kernel.panic_on_oops 1
seem kernel.keys.root_maxkeys 1000000
seem kernel.keys.root_maxbytes 25000000

touch /run/state/box-is-made
while :; do
  sleep 3600 &
  wait
done

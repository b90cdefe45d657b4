#!/bin/sh
# Run inside the Dockerfile: what the images take of Debian, laid out as it will stand in them.
#   /runtime    Node, the libraries that it is linked with, and the few files that every image has
#   /iptables   both backends of iptables; of libraries what /runtime does not have
set -eu

# with_libraries FOLDER PROGRAM...: each program, and each file that the loader maps for it, under its own path in FOLDER.
with_libraries() {
  folder=$1
  shift
  mkdir -p "$folder"
  for program in "$@"; do
    echo "$program"
    ldd "$program" | grep -o '/[^ ]*'
  done | sort -u | xargs cp --parents --dereference --target-directory "$folder"
}

with_libraries /runtime /opt/sallyport/node
mkdir /runtime/etc /runtime/run
mkdir --mode 1777 /runtime/tmp
printf '%s\n' root:x:0:0::/:/sbin/nologin sallyport:x:65532:65532::/:/sbin/nologin > /runtime/etc/passwd
printf '%s\n' root:x:0: sallyport:x:65532: > /runtime/etc/group
echo 'hosts: files dns' > /runtime/etc/nsswitch.conf

# All the modules: init also has to read the rules of whoever else writes some.
with_libraries /iptables /usr/sbin/xtables-nft-multi /usr/sbin/xtables-legacy-multi
for command in iptables ip6tables; do
  for backend in nft legacy; do
    for action in save restore; do
      ln -s "xtables-$backend-multi" "/iptables/usr/sbin/$command-$backend-$action"
    done
  done
done
cp -R --parents --target-directory /iptables /usr/lib/*-linux-gnu/xtables
cd /iptables
find . -type f | while read -r file; do
  if [ -e "/runtime/$file" ]; then rm "$file"; fi
done

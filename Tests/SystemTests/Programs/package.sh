#!/bin/sh
# package.sh database TREE: makes a database of dpkg without any package below a folder.
# package.sh build TREE VERSION: builds the package hello, into the folder build beside it.
# package.sh dpkg TREE ARGUMENT...: what dpkg does there; the host's database stays as it is.
set -eu
command=$1 tree=$2
shift 2
cd "$tree"
case $command in
database)
  mkdir -p var/lib/dpkg/info var/lib/dpkg/updates var/lib/dpkg/triggers usr/bin etc ../build
  : > var/lib/dpkg/status
  : > var/lib/dpkg/available
  ln -s usr/bin bin
  ;;
build)
  # 100 files, one of them of configuration, a link, an interest in a folder, and scripts that make
  # and remove a file which the package does not have.
  cd ../build
  rm -rf p
  mkdir -p p/DEBIAN p/usr/share/hello p/bin p/etc
  for i in $(seq 97); do echo "$1 $i" > "p/usr/share/hello/f$i"; done
  echo "program $1" > p/bin/hello
  echo conf > p/etc/hello.conf
  echo "$1" > 'p/usr/share/hello/with blank'
  ln -s f1 p/usr/share/hello/link
  echo 'interest-noawait /usr/share/hello' > p/DEBIAN/triggers
  echo /etc/hello.conf > p/DEBIAN/conffiles
  printf '%s\n' 'Package: hello' "Version: $1" 'Architecture: all' \
    'Maintainer: nobody <nobody@example.org>' 'Description: a hundred files' > p/DEBIAN/control
  # They stay for a while, as scripts do: whoever looks on sees that dpkg started them.
  # shellcheck disable=SC2016
  printf '%s\n' '#!/bin/sh' 'echo "$1" >> "$DPKG_ROOT/etc/hello.state"; sleep 0.2' > p/DEBIAN/postinst
  # shellcheck disable=SC2016
  printf '%s\n' '#!/bin/sh' 'rm -f "$DPKG_ROOT/etc/hello.state"; sleep 0.2' > p/DEBIAN/postrm
  chmod 755 p/DEBIAN/postinst p/DEBIAN/postrm
  (cd p && find bin etc usr -type f ! -name hello.conf -exec md5sum {} + > DEBIAN/md5sums)
  dpkg-deb --root-owner-group -b p "hello_$1.deb"
  ;;
dpkg)
  dpkg --instdir="$PWD" --admindir="$PWD/var/lib/dpkg" --log=/dev/null \
    --force-script-chrootless,unsafe-io "$@"
  ;;
esac

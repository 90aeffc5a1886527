#!/usr/bin/env bash
# A PostgreSQL server of one's own for tests and measurements: in a folder, on a free port of the loopback, as an ordinary user.
#
# usage: postgres.sh start DIR     starts it and prints its URL; DIR is made, and must be short (it holds a socket)
#        postgres.sh stop DIR      ends it and removes what it kept
#        postgres.sh restart DIR   stops it at once, as a crash would, and starts it again on the same port
#        postgres.sh lend DIR      start, unless it runs; it ends by itself when nobody has held a lock on DIR/users for a while
#        postgres.sh install       installs Debian's package when the programs are missing and this is root
set -euo pipefail

die() { printf 'postgres.sh: %s\n' "$*" >&2; exit 1; }

# Folder of the programs: the newest of Debian's, else those in PATH.
programs() {
  local newest
  newest=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -n | tail -1 || true)
  if [ -n "$newest" ] && [ -x "$newest/initdb" ]; then echo "$newest"; return; fi
  newest=$(command -v initdb || true)
  [ -n "$newest" ] || return 1
  dirname "$(readlink -f "$newest")"
}

install() {
  programs >/dev/null && return
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    # Debian would make and start a cluster of its own.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
      echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    export DEBIAN_FRONTEND=noninteractive
    local get="apt-get install -y -qq -o Dpkg::Options::=--force-confold postgresql"
    ($get || { apt-get update -qq && $get; }) >/dev/null 2>&1 || true
  fi
  programs >/dev/null || die "the programs of PostgreSQL are missing: install the package postgresql"
}

# Runs a command as a user that the server accepts: it refuses root.
as_user() {
  if [ "$(id -u)" = 0 ]; then runuser -u nobody -- "$@"; else "$@"; fi
}

free_port() {
  local port
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    port=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
  die "no free port"
}

running() { [ -e "$1/data/postmaster.pid" ] && as_user "$(programs)/pg_ctl" -D "$1/data" status >/dev/null 2>&1; }

start() {
  local dir=$1 bin port
  bin=$(programs) || die "the programs of PostgreSQL are missing: install the package postgresql"
  mkdir -p "$dir"
  if [ "$(id -u)" = 0 ]; then chown nobody "$dir"; fi
  chmod 700 "$dir"
  as_user test -w "$dir" || die "$dir cannot be reached by the user nobody, as whom the server runs"
  if ! [ -e "$dir/data/PG_VERSION" ]; then
    printf 'test\n' >"$dir/password"
    [ "$(id -u)" = 0 ] && chown nobody "$dir/password"
    chmod 600 "$dir/password"
    as_user env LC_ALL=C "$bin/initdb" -D "$dir/data" -U banksman --encoding=UTF8 --no-instructions \
      --auth-local=trust --auth-host=scram-sha-256 --pwfile="$dir/password" >"$dir/initdb.log" 2>&1 ||
      die "initdb failed: see $dir/initdb.log"
    port=$(free_port)
    as_user tee -a "$dir/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = '$dir'
max_connections = 200
fsync = on
synchronous_commit = on
logging_collector = off
CONF
  fi
  port=$(sed -n 's/^port = //p' "$dir/data/postgresql.conf" | tail -1)
  (cd "$dir" && as_user "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 start >/dev/null 9>&- 8>&-) ||
    die "the server did not start: see $dir/log"
  printf 'postgres://banksman:test@127.0.0.1:%s/postgres\n' "$port" >"$dir/url"
  cat "$dir/url"
}

stop() {
  local dir=$1
  if running "$dir"; then
    (cd "$dir" && as_user "$(programs)/pg_ctl" -D "$dir/data" -m fast -w stop >/dev/null) || true
  fi
  rm -rf "$dir/data" "$dir/url" "$dir/log" "$dir/initdb.log" "$dir/password"
}

restart() {
  local dir=$1 bin
  bin=$(programs)
  (cd "$dir" && as_user "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null &&
    as_user "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 start >/dev/null) || die "the server did not come back"
}

lend() {
  local dir=$1
  command -v flock >/dev/null || die "flock is missing: start a server by hand and name it in BANKSMAN_TEST_POSTGRES"
  mkdir -p "$dir"
  exec 9>>"$dir/starting"
  flock 9
  if running "$dir" && [ -e "$dir/url" ]; then cat "$dir/url"; return; fi
  # What a machine that was switched off left behind.
  stop "$dir"
  start "$dir"
  setsid "$0" watch "$dir" </dev/null >/dev/null 2>&1 9>&- &
}

# Ends the server when nobody has used it four times in a row. While it does, nobody begins to use it.
watch() {
  local dir=$1 idle=0
  exec 8>>"$dir/users"
  while running "$dir"; do
    sleep 5
    if flock -n -x 8; then
      idle=$((idle + 1))
      if [ "$idle" -ge 4 ]; then stop "$dir"; return; fi
      flock -u 8
    else
      idle=0
    fi
  done
}

case "${1:-}" in
  install) install ;;
  start | stop | restart | lend | watch) [ -n "${2:-}" ] || die "which folder?"; "$1" "$2" ;;
  *) die "usage: postgres.sh start|stop|restart|lend DIR, or install" ;;
esac

#!/usr/bin/env bash
# A real InfluxDB 1.6 for tests and measurements: Debian's package, unpacked into target/influxdb without touching the system.
#
# usage: influxdb.sh install        unpacks the program when it is missing; prints its path
#        influxdb.sh run DIR PORT   runs it in the foreground on the loopback; what it keeps is in DIR
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$PWD/target/influxdb

die() { printf 'influxdb.sh: %s\n' "$*" >&2; exit 1; }

program() {
  if [ -x "$folder/usr/bin/influxd" ]; then echo "$folder/usr/bin/influxd"; return; fi
  command -v influxd
}

install() {
  program >/dev/null && return
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || die "influxd is missing: install InfluxDB 1.6 or later"
  mkdir -p "$folder"
  (cd "$folder" && { apt-get download -qq influxdb || { apt-get update -qq && apt-get download -qq influxdb; }; } &&
    dpkg-deb -x influxdb_*.deb . && rm influxdb_*.deb) >/dev/null 2>&1 || true
  program >/dev/null || die "influxd is missing and the package influxdb cannot be fetched"
}

case "${1:-}" in
  install) install; program ;;
  run)
    [ -n "${2:-}" ] && [ -n "${3:-}" ] || die "which folder, which port?"
    install
    mkdir -p "$2"
    export INFLUXDB_REPORTING_DISABLED=true INFLUXDB_MONITOR_STORE_ENABLED=false
    export INFLUXDB_META_DIR=$2/meta INFLUXDB_DATA_DIR=$2/data INFLUXDB_DATA_WAL_DIR=$2/wal
    export INFLUXDB_HTTP_BIND_ADDRESS=127.0.0.1:$3 INFLUXDB_BIND_ADDRESS=127.0.0.1:$(($3 + 1)) INFLUXDB_HTTP_LOG_ENABLED=false
    exec "$(program)" >"$2/log" 2>&1
    ;;
  *) die "usage: influxdb.sh install, or run DIR PORT" ;;
esac

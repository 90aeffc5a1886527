#!/bin/sh
# Installs what is published into this folder, unless it is there: small packages as they are, of the 200 MB of @octokit/openapi one file.
set -eu
stamp=installed-98.0.0-8.20.0-16.12.0-23.0.2
[ -f "$stamp" ] && exit 0
npm install --no-audit --no-fund --ignore-scripts --silent
npm pack --silent @octokit/openapi@23.0.2 >/dev/null
tar xzf octokit-openapi-23.0.2.tgz package/generated/api.github.com.json
mv package/generated/api.github.com.json github.json
rm -r package octokit-openapi-23.0.2.tgz
touch "$stamp"

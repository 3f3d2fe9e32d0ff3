#!/usr/bin/env bash
# on-node.sh VERSION COMMAND...: runs a command with another Node.js, whose binary comes from the npm package `node`.
set -euo pipefail
version=$1
shift
case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) platform=linux-x64 ;;
  Linux-aarch64) platform=linux-arm64 ;;
  Darwin-arm64) platform=darwin-arm64 ;;
  *) echo "no npm package with a Node.js for $(uname -s) $(uname -m)" >&2; exit 1 ;;
esac
cache=.cache/node-$version
if [ ! -x "$cache/node_modules/node-$platform/bin/node" ]; then
  mkdir -p "$cache"
  npm install --prefix "$cache" --no-save --no-audit --no-fund --silent "node-$platform@$version"
fi
PATH="$PWD/$cache/node_modules/node-$platform/bin:$PATH" "$@"

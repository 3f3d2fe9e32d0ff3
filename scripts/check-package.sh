#!/usr/bin/env bash
# Packs emb-cli, installs the tarball in an empty project and uses it: the command, the library entry and its types.
set -euo pipefail
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tarball=$(npm pack --silent --ignore-scripts --pack-destination "$work")
cd "$work"
echo '{"type":"module","private":true}' > package.json
npm install --no-audit --no-fund --silent "./$tarball"
npx emb --version
test "$(npx emb embed "Hello world" --dim 4 -f csv | wc -l)" -eq 3
cat > use.ts <<'TS'
import { EmbError, openModel } from 'emb-cli';
const failed: unknown = await openModel('nowhere.safetensors').catch((error: unknown) => error);
if (!(failed instanceof EmbError)) throw new Error('openModel accepted a missing file');
const scratch = await openModel();
const table = await scratch.table();
console.log(table.rows, table.dim);
TS
"$root/node_modules/.bin/tsc" --noEmit --strict --module nodenext --target es2023 --typeRoots "$root/node_modules/@types" --types node use.ts
cp use.ts use.mjs
sed -i 's/: unknown//g' use.mjs
test "$(node use.mjs)" = "50257 768"
echo "the package installs and works ($(du -h "$tarball" | cut -f1))"

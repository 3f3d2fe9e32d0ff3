'use strict';
// Loads the chunks of dist/bin with the machine code that V8 kept of them when they were built: a third of the start-up time is compiling.
// Made by scripts/code-cache.mjs for the Node.js that built it; another one uses the cache of its own, where it has one (22.1 and later).
const { readFileSync } = require('node:fs');
const nodeModule = require('node:module');
const { join } = require('node:path');
const { Script } = require('node:vm');

const folder = join(__dirname, '..', 'dist', 'bin');
const loaded = new Map();
/** Chunks by name, kept only while their machine code is recorded. */
let recorded;
const kept = readKept();
if (kept === undefined) nodeModule.enableCompileCache?.();

/** code-cache.bin: length of the index (4 bytes, little endian), index as JSON ({ v8, ranges: chunk → [start, end] }), data. */
function readKept() {
  let bytes;
  try {
    bytes = readFileSync(join(folder, 'code-cache.bin'));
  } catch {
    // Not built, or not readable: it only saves time.
    return undefined;
  }
  const start = 4 + bytes.readUInt32LE(0);
  const { v8, ranges } = JSON.parse(bytes.toString('latin1', 4, start));
  if (v8 !== process.versions.v8) return undefined;
  return (name) =>
    ranges[name] ? bytes.subarray(start + ranges[name][0], start + ranges[name][1]) : undefined;
}

/** The exports of a chunk. */
function load(name) {
  const filename = join(folder, name);
  if (kept === undefined && recorded === undefined) return require(filename);
  const known = loaded.get(name);
  if (known) return known.exports;
  const source = `(function(exports,require,module,__dirname){${readFileSync(filename, 'utf8')}\n})`;
  const script = new Script(source, { filename, cachedData: kept?.(name) });
  recorded?.set(name, script);
  const module = { exports: {} };
  loaded.set(name, module);
  const requireFrom = (wanted) => (wanted.startsWith('./') ? load(wanted.slice(2)) : require(wanted));
  script.runInThisContext()(module.exports, requireFrom, module, folder);
  return module.exports;
}

/** From now on scripts are compiled here and remembered. Map: chunk → vm.Script */
function record() {
  recorded = new Map();
  return recorded;
}

module.exports = { load, record };

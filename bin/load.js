'use strict';
// Loads the chunks of dist/bin with the machine code that V8 kept of them when they were built: a third of the start-up time is compiling.
// Made by scripts/code-cache.mjs for the Node.js that built it; another one uses the cache of its own, where it has one (22.1 and later).
const { openSync, readFileSync, readSync } = require('node:fs');
const nodeModule = require('node:module');
const { join } = require('node:path');
const { Script } = require('node:vm');

const folder = join(__dirname, '..', 'dist', 'bin');
/** Room for the index of code-cache.bin. */
const pageBytes = 8192;
const loaded = new Map();
/** Chunks by name, kept only while their machine code is recorded. */
let recorded;
const kept = readKept();
if (kept === undefined) nodeModule.enableCompileCache?.();

/** code-cache.bin: a page with the index as JSON ({ v8, ranges: chunk → [start, end] }), then the data. Only what is loaded is read. */
function readKept() {
  let file;
  let index;
  try {
    file = openSync(join(folder, 'code-cache.bin'));
    const page = Buffer.alloc(pageBytes);
    readSync(file, page, 0, pageBytes, 0);
    index = JSON.parse(page.latin1Slice(0, page.indexOf(0)));
  } catch {
    // Not built, not readable or of another build: it only saves time.
    return undefined;
  }
  if (index.v8 !== process.versions.v8) return undefined;
  return (name) => {
    if (!index.ranges[name]) return undefined;
    const [start, end] = index.ranges[name];
    const data = Buffer.allocUnsafeSlow(end - start);
    return readSync(file, data, 0, data.length, pageBytes + start) === data.length ? data : undefined;
  };
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

module.exports = { load, pageBytes, record };

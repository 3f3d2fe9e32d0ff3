'use strict';
// Loads the chunks of dist/bin with the machine code that V8 kept of them when they were built: a third of the start-up time is compiling.
// V8 itself refuses what another version, platform or source made; then a chunk is compiled as ever.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { Script } = require('node:vm');

const folder = join(__dirname, '..', 'dist', 'bin');
const loaded = new Map();
const scripts = new Map();
const kept = readKept();

/** code-cache.bin: length of the index (4 bytes, little endian), index as JSON (chunk → [start, end]), data. */
function readKept() {
  try {
    const bytes = readFileSync(join(folder, 'code-cache.bin'));
    const start = 4 + bytes.readUInt32LE(0);
    const index = JSON.parse(bytes.toString('latin1', 4, start));
    return (name) =>
      index[name] ? bytes.subarray(start + index[name][0], start + index[name][1]) : undefined;
  } catch {
    // Not built, or not readable: it only saves time.
    return () => undefined;
  }
}

/** The exports of a chunk. */
function load(name) {
  const known = loaded.get(name);
  if (known) return known.exports;
  const filename = join(folder, name);
  const source = `(function(exports,require,module,__dirname){${readFileSync(filename, 'utf8')}\n})`;
  const script = new Script(source, { filename, cachedData: kept(name) });
  scripts.set(name, script);
  const module = { exports: {} };
  loaded.set(name, module);
  script.runInThisContext()(
    module.exports,
    (wanted) => (wanted.startsWith('./') ? load(wanted.slice(2)) : require(wanted)),
    module,
    folder,
  );
  return module.exports;
}

module.exports = { load, scripts };

// record-code.cjs FOLDER ARGUMENT...: runs emb and writes the machine code of every chunk it loaded.
const { mkdirSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { load, record } = require('../bin/load.js');

const [folder, ...line] = process.argv.slice(2);
mkdirSync(folder);
const scripts = record();
process.on('exit', () => {
  for (const [name, script] of scripts) writeFileSync(join(folder, name), script.createCachedData());
});
load('main.cjs').main(line);

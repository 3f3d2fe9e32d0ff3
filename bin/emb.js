#!/usr/bin/env node
'use strict';
// CommonJS, and --version answers before anything is loaded: start-up time is what a shell user feels.
if (process.argv.length === 3 && (process.argv[2] === '--version' || process.argv[2] === '-V')) {
  // Not console.log: opening process.stdout takes milliseconds.
  try {
    require('node:fs').writeSync(1, `${require('../package.json').version}\n`);
  } catch (error) {
    if (error.code !== 'EPIPE') {
      process.exitCode = 1;
      process.stderr.write(`emb: stdout: cannot be written (${error.code})\n`);
    }
  }
} else {
  require('./load.js').load('main.cjs').main(process.argv.slice(2));
}

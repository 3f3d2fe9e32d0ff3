// Builds dist/: lib/ is the library entry (ESM and types, by tsc), bin/ the command (minified CommonJS with lazy chunks, by rolldown).
// CommonJS because an ESM entry alone costs about 15 ms at start.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
await import('./generate.mjs');
rmSync('dist', { recursive: true, force: true });

const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' });

const bundle = await rolldown({
  input: { main: 'src/cli/main.ts' },
  platform: 'node',
  transform: { define: { EMB_VERSION: JSON.stringify(version) } },
  onwarn(warning, report) {
    // commander and chalk ship such code; it is theirs.
    if (warning.code !== 'CIRCULAR_DEPENDENCY') report(warning);
  },
});
await bundle.write({
  dir: 'dist/bin',
  format: 'cjs',
  minify: true,
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name].cjs',
  exports: 'named',
});
await bundle.close();

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** End-to-end tests run what users run, so the bundle must be of these sources. */
export default function setup(): void {
  const built = join('dist', 'bin', 'main.cjs');
  const newest = Math.max(
    ...['src', 'scripts', 'bin'].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(
        (path) => statSync(join(folder, path)).mtimeMs,
      ),
    ),
  );
  if (existsSync(built) && statSync(built).mtimeMs >= newest) return;
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
}

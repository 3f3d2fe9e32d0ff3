import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { shell } from '../support/emb.ts';

const folder = join('fixtures', 'cli');

/** fixtures/cli/NAME/: cmd is a shell line run from the repository's top; stdout, stderr and exit are what it must give (absent: not compared; exit: 0). */
describe('command lines in fixtures/cli', () => {
  const names = readdirSync(folder);

  test('there are some', () => expect(names.length).toBeGreaterThan(10));

  test.each(names)('%s', (name) => {
    const read = (part: string) => {
      const path = join(folder, name, part);
      return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
    };
    const { stdout, stderr, code } = shell(read('cmd')!);
    const expected = { stdout: read('stdout'), stderr: read('stderr'), exit: Number(read('exit') ?? 0) };
    if (expected.stdout !== undefined) expect(stdout).toBe(expected.stdout);
    if (expected.stderr !== undefined) expect(stderr).toBe(expected.stderr);
    expect(code, stderr).toBe(expected.exit);
  });
});

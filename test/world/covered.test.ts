import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { covered } from './covered.ts';
import { hasWorld, world, worldFiles } from './manifest.ts';

describe.skipIf(!hasWorld)('the world', () => {
  const files = worldFiles();

  test('is complete, and every test that claims files reads some', () => {
    expect(files.filter((path) => !existsSync(join(world, path)))).toEqual([]);
    for (const { reads } of covered) expect(files.some(reads)).toBe(true);
  });

  test('has files that no test covers yet', () => {
    const open = files.filter((path) => !covered.some(({ reads }) => reads(path)));
    console.log(
      `${files.length - open.length} of ${files.length} files of the world are covered, ${open.length} not yet`,
    );
    expect(open.length).toBeLessThan(files.length);
  });
});

import { describe, expect, it } from 'vitest';
import { renderers } from '../../src/render/index.ts';

describe('the registry of renderers', () => {
  it.each(Object.entries(renderers))('says of %s what its module says', async (name, entry) => {
    const renderer = await entry.load();
    expect({ name: renderer.name, endings: renderer.endings, binary: renderer.binary }).toEqual({
      name,
      endings: entry.endings,
      binary: entry.binary,
    });
  });

  it('gives a file ending to one format only', () => {
    const endings = Object.values(renderers).flatMap((entry) => entry.endings);
    expect(new Set(endings).size).toBe(endings.length);
  });
});

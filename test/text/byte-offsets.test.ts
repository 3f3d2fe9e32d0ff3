import { expect, test } from 'vitest';
import { byteOffsets } from '../../src/text/byte-offsets.ts';

test('offsets in bytes are the lengths of what stands before them', () => {
  const text = 'aé你😀\ud800b\udc00';
  const offsets = byteOffsets(text) as Uint32Array;
  expect(offsets.length).toBe(text.length + 1);
  for (const at of [0, 1, 2, 3, 5, 6, 7, 8]) {
    expect([at, offsets[at]]).toEqual([at, Buffer.byteLength(text.slice(0, at), 'utf8')]);
  }
  expect(offsets[4]).toBe(offsets[3]);
});

test('ASCII needs no offsets', () => {
  expect(byteOffsets('plain text')).toBeUndefined();
  expect(byteOffsets('')).toBeUndefined();
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadPassStrings } from '../../src/kernels/strings.ts';

/** The same in plain TypeScript. */
function walkPlainly(block: Uint8Array, from: number, count: number) {
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  let at = from;
  let left = count;
  while (left > 0 && at + 8 <= block.length) {
    at += 8 + Math.min(Number(view.getBigUint64(at, true)), 2 ** 52);
    left--;
  }
  return { at, left };
}

test('strings are passed over as far as the block has their lengths, whatever these say', async () => {
  const walk = await loadPassStrings();
  if (walk === undefined) throw new Error('WebAssembly is missing');
  const strings = fc.array(
    fc.record({
      length: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constantFrom(2 ** 32, 2 ** 53 - 1, 1e19)),
      bytes: fc.uint8Array({ maxLength: 20 }),
    }),
  );
  fc.assert(
    fc.property(strings, fc.nat(60), fc.nat(20), fc.nat(9), (parts, count, from, cut) => {
      const whole = Buffer.concat(
        parts.flatMap(({ length, bytes }) => {
          const head = Buffer.alloc(8);
          head.writeBigUInt64LE(BigInt(length));
          return [head, length <= 20 ? Buffer.alloc(length, 65) : bytes];
        }),
      );
      const block = Uint8Array.from(whole.subarray(0, Math.max(0, whole.length - cut)));
      expect(walk(block, from, count)).toEqual(walkPlainly(block, from, count));
    }),
  );
});

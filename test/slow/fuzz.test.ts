import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../src/bytes/memory.ts';
import { EmbError } from '../../src/errors.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { tableOf } from '../../src/model/table.ts';
import { fixture } from '../formats/tables.ts';
import { largestAllocation, watchAllocations } from '../support/allocations.ts';

/** Mutations per format; a smaller number is for trying things out. */
const mutations = Number(process.env.EMB_FUZZ ?? 100_000);

/** Longest time that one mutated file may take, in milliseconds. */
const longest = 2_000;

/** Files under 1 MB may not make us claim more, in bytes. */
const largest = 64 * 2 ** 20;

/** Format → fixtures that are mutated, all made by the reference implementations. */
const seeds: Record<string, string[]> = {
  safetensors: ['formats/F32.safetensors', 'formats/listed.safetensors'],
  npy: ['formats/f4-le-C.npy', 'formats/f8-be-F.npy', 'formats/f4-v3.npy'],
  pytorch: ['pytorch/protocol-2.pt', 'pytorch/protocol-4.pt', 'pytorch/strided.pt', 'pytorch/without-crc.pt'],
  'pytorch legacy': [
    'pytorch/legacy-1.pt',
    'pytorch/legacy-4.pt',
    'pytorch/legacy-strided.pt',
    'pytorch/legacy-everything.pt',
  ],
  gguf: ['gguf/v1.gguf', 'gguf/v2.gguf', 'gguf/v3.gguf', 'gguf/v3-be.gguf', 'gguf/types.gguf'],
  npz: ['npz/stored.npz', 'npz/compressed.npz'],
  flax: ['flax/parameters.msgpack', 'flax/chunked.msgpack'],
  hdf5: ['hdf5/model.weights.h5.gz', 'hdf5/latest.h5.gz'],
};

/** One change: bytes at a place overwritten, taken out, put in, or the rest cut off. */
interface Change {
  kind: 'set' | 'remove' | 'insert' | 'cut';
  place: number;
  bytes: Uint8Array;
}

/** Numbers that break what does not check: signs, limits of widths, sizes just beyond a file. */
const edges = fc.constantFrom(
  [0, 0, 0, 0, 0, 0, 0, 0],
  [255, 255, 255, 255, 255, 255, 255, 255],
  [255, 255, 255, 127],
  [0, 0, 0, 128],
  [255, 255, 255, 255, 255, 255, 31, 0],
  [0, 0, 1, 0],
  [0, 16, 0, 0, 0, 0, 0, 0],
);
const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom('set', 'set', 'set', 'set', 'remove', 'insert', 'cut'),
  // Headers are at the front or at the back: most changes go there.
  place: fc.oneof(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 0.1, noNaN: true }),
    fc.double({ min: 0.9, max: 1, noNaN: true }),
  ),
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 4 }),
    edges.map((bytes) => Uint8Array.from(bytes)),
  ),
});

function mutate(seed: Uint8Array, changes: readonly Change[]): Uint8Array {
  let bytes = seed;
  for (const { kind, place, bytes: put } of changes) {
    const at = Math.floor(place * bytes.length);
    const head = bytes.subarray(0, at);
    if (kind === 'cut') bytes = head;
    else if (kind === 'insert') bytes = Buffer.concat([head, put, bytes.subarray(at)]);
    else if (kind === 'remove') bytes = Buffer.concat([head, bytes.subarray(at + put.length)]);
    else {
      bytes = Uint8Array.from(bytes);
      bytes.set(put.subarray(0, Math.max(0, bytes.length - at)), at);
    }
  }
  return bytes;
}

/** Opens a file and asks what a user would ask: every tensor's first and last row, the metadata, the words. */
async function look(bytes: Uint8Array, name: string): Promise<void> {
  const file = await openTensorFile(new MemorySource(name, bytes));
  for (const tensor of file.tensors.slice(0, 8)) {
    if (tensor.shape.length !== 2) continue;
    await refusing(async () => {
      const table = tableOf(tensor);
      await table.gather(Uint32Array.of(0, table.rows - 1));
    });
  }
  for (const [, value] of file.metadata) {
    if (typeof value !== 'object' || value === null || !('values' in value)) continue;
    await refusing(() => (value as { values(most: number): Promise<unknown[]> }).values(4));
  }
  const { vocabulary } = file;
  if (vocabulary?.kind === 'words') await refusing(() => vocabulary.open());
  await file.close();
}

/** HDF5 is mostly padding: its fixtures are packed. */
function seedOf(name: string): Uint8Array {
  const bytes = readFileSync(fixture(name));
  return Uint8Array.from(name.endsWith('.h5.gz') ? gunzipSync(bytes) : bytes);
}

async function refusing(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof EmbError)) throw error;
  }
}

describe('mutated files end in an answer or in an EmbError, in time and without large claims', () => {
  watchAllocations();
  test.each(Object.entries(seeds))('%s', { timeout: 600_000 }, async (format, names) => {
    const files = names.map((name) => ({ name, bytes: seedOf(name) }));
    let slowest = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        async (file, changes) => {
          const bytes = mutate(file.bytes, changes);
          const start = performance.now();
          await refusing(() => look(bytes, file.name));
          slowest = Math.max(slowest, performance.now() - start);
        },
      ),
      { numRuns: mutations, seed: 20_261_123, endOnFailure: true },
    );
    expect({ format, inTime: slowest < longest }).toEqual({ format, inTime: true });
    expect(largestAllocation()).toBeLessThanOrEqual(largest);
  });
});

// Tables of float32 in safetensors files, drawn quickly, for measuring.
import { closeSync, openSync, writeSync } from 'node:fs';

/** A file of tables of one shape; values are a sum of three uniform numbers around `mean`, the same ones in every run. */
export function writeTables(path, names, [rows, dim], mean = 0) {
  const bytes = rows * dim * 4;
  const header = JSON.stringify(
    Object.fromEntries(
      names.map((name, i) => [
        name,
        { dtype: 'F32', shape: [rows, dim], data_offsets: [i * bytes, (i + 1) * bytes] },
      ]),
    ),
  );
  const padded = Buffer.from(header.padEnd(Math.ceil(header.length / 64) * 64 - 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const file = openSync(path, 'w');
  writeSync(file, Buffer.concat([length, padded]));
  let seed = 1;
  const uniform = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed + 0.5) / 2 ** 32;
  };
  // A pool of values that every row starts in at another place.
  const pool = Float32Array.from(
    { length: 1 << 20 },
    () => mean + (uniform() + uniform() + uniform() - 1.5) * 0.3,
  );
  for (let row = 0; row < rows * names.length; row++) {
    const start = Math.floor(uniform() * (pool.length - dim));
    writeSync(file, new Uint8Array(pool.buffer, start * 4, dim * 4));
  }
  closeSync(file);
}

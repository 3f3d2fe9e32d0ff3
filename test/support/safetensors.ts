import { writeFileSync } from 'node:fs';

/** Writes tables as a safetensors file, F32 unless BF16 is asked for, whose values are cut to it. */
export function writeTables(
  path: string,
  tables: Record<string, { rows: readonly (readonly number[])[]; dtype?: 'F32' | 'BF16' }>,
): void {
  const parts: Buffer[] = [];
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, { rows, dtype = 'F32' }] of Object.entries(tables)) {
    const floats = Float32Array.from(rows.flat());
    const halves = Uint16Array.from(new Uint32Array(floats.buffer), (bits) => bits >>> 16);
    const bytes = Buffer.from(dtype === 'F32' ? floats.buffer : halves.buffer);
    header[name] = {
      dtype,
      shape: [rows.length, rows[0]?.length ?? 0],
      data_offsets: [end, end + bytes.length],
    };
    parts.push(bytes);
    end += bytes.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(path, Buffer.concat([length, text, ...parts]));
}

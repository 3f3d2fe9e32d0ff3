import { EmbError } from '../errors.ts';
import type { Renderer, Report, Sink } from '../types.ts';
import { ArrayShape } from './array-shape.ts';
import { blockValues } from './machine-rows.ts';
import { encodeValues, type VectorDtype } from './narrow.ts';

const descriptions: Readonly<Partial<Record<VectorDtype, string>>> = {
  float32: '<f4',
  float16: '<f2',
  float64: '<f8',
};

/** Headers end on a multiple of this, so that the data is aligned. */
const alignment = 64;
/** NumPy leaves room for the outermost count to grow to this many digits. */
const growthDigits = 21;

/** One NumPy array, byte for byte what np.save writes. */
export const renderer: Renderer = {
  name: 'npy',
  endings: ['npy'],
  binary: true,
  needsVectors: true,
  captioned: false,
  async render(report, sink) {
    const vectors = report.vectors!;
    const description = descriptions[vectors.dtype];
    if (!description) {
      throw new EmbError(
        'usage',
        `"dtype" is ${vectors.dtype}, expected float16, float32 or float64 for npy`,
        'NumPy has no bfloat16: use -f safetensors',
      );
    }
    if (vectors.shape) return renderKnown(report, vectors.shape, description, sink);
    return renderSpooled(report, description, sink);
  },
};

async function renderKnown(
  report: Report,
  shape: readonly number[],
  description: string,
  sink: Sink,
): Promise<void> {
  const counted = new ArrayShape(report.vectors!);
  sink.write(npyHeader(description, shape));
  for await (const block of report.blocks) {
    counted.add(block);
    const values = blockValues(block, report);
    if (values) sink.write(encodeValues(values, report.vectors!.dtype));
    await sink.flush();
  }
  if (counted.shape.join() !== shape.join()) {
    throw new Error(`array is [${counted.shape.join(', ')}], expected [${shape.join(', ')}]`);
  }
}

async function renderSpooled(report: Report, description: string, sink: Sink): Promise<void> {
  const counted = new ArrayShape(report.vectors!);
  const spool = sink.spool();
  try {
    for await (const block of report.blocks) {
      counted.add(block);
      const values = blockValues(block, report);
      if (values) spool.write(encodeValues(values, report.vectors!.dtype));
      await sink.flush();
    }
  } catch (error) {
    spool.discard();
    throw error;
  }
  sink.write(npyHeader(description, counted.shape));
  await spool.drain(sink);
}

/**
 * Header of a version 1.0 file.
 *
 * Block: "\x93NUMPY" 1 0 · u16 length · dictionary, spaces, newline, up to a multiple of 64 bytes.
 * Source: numpy.lib.format, _write_array_header and _wrap_header.
 */
function npyHeader(description: string, shape: readonly number[]): Uint8Array {
  const room = ' '.repeat(Math.max(0, growthDigits - String(shape[0]).length));
  const dictionary = `{'descr': '${description}', 'fortran_order': False, 'shape': (${shape.join(', ')}), }${room}`;
  const start = 10;
  const padding = alignment - ((start + dictionary.length + 1) % alignment);
  const text = `${dictionary}${' '.repeat(padding)}\n`;
  const header = Buffer.alloc(start + text.length);
  header.write('\x93NUMPY\x01\x00', 'latin1');
  header.writeUInt16LE(text.length, 8);
  header.write(text, start, 'latin1');
  return header;
}

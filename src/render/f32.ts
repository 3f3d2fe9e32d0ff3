import { EmbError } from '../errors.ts';
import type { Renderer } from '../types.ts';
import { blockValues } from './machine-rows.ts';
import { encodeValues } from './narrow.ts';

/** The vectors as little-endian float32, row after row, and nothing else. */
export const renderer: Renderer = {
  name: 'f32',
  endings: ['f32'],
  binary: true,
  needsVectors: true,
  captioned: false,
  async render(report, sink) {
    const dtype = report.vectors?.dtype ?? 'float32';
    if (dtype !== 'float32') {
      throw new EmbError(
        'usage',
        `"dtype" is ${dtype}, expected float32 for f32`,
        'use -f npy or -f safetensors, which say their dtype',
      );
    }
    for await (const block of report.blocks) {
      const values = blockValues(block, report);
      if (values) sink.write(encodeValues(values, 'float32'));
      await sink.flush();
    }
  },
};

import { EmbError } from '../errors.ts';
import type { Renderer } from '../types.ts';

/** Token ids, separated by spaces, one line a sequence. */
export const renderer: Renderer = {
  name: 'ids',
  endings: ['ids'],
  binary: false,
  needsVectors: false,
  captioned: false,
  async render(report, sink) {
    const place = report.columns.findIndex((column) => column.key === 'id');
    if (place < 0) throw new EmbError('usage', 'ids prints token ids, and this report has none');
    let separator = '';
    for await (const block of report.blocks) {
      let line = '';
      if (block.ids !== undefined && block.ids.length > 0) {
        line = separator + block.ids.join(' ');
        separator = ' ';
      }
      for (const cells of block.cells) {
        const id = cells[place] ?? null;
        // Padding and pooled rows are no tokens.
        if (id === null) continue;
        line += `${separator}${id}`;
        separator = ' ';
      }
      if (block.ends) {
        line += '\n';
        separator = '';
      }
      sink.write(line);
      await sink.flush();
    }
  },
};

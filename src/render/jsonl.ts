import type { Renderer } from '../types.ts';
import { jsonStyle, rowOpener } from './json-text.ts';
import { machineRows } from './machine-rows.ts';
import { hasNonFinite } from './narrow.ts';
import { TextBuffer } from './text-buffer.ts';

/** One JSON object a line: a row's cells under their keys, then its `vector`. */
export const renderer: Renderer = {
  name: 'jsonl',
  endings: ['jsonl', 'ndjson'],
  binary: false,
  needsVectors: false,
  captioned: false,
  async render(report, sink, options) {
    const style = jsonStyle(options, false);
    const text = new TextBuffer();
    const dim = report.vectors?.dim ?? 0;
    let columns: unknown;
    let open = rowOpener([], [], style);
    for await (const rows of machineRows(report)) {
      if (columns !== rows.columns) open = rowOpener(rows.columns, rows.places, style);
      columns = rows.columns;
      if (rows.values && hasNonFinite(rows.values)) style.onNonFinite();
      const vectorKey = rows.columns.length > 0 ? ',"vector":[' : '"vector":[';
      for (let row = 0; row < rows.cells.length; row++) {
        text.text(open(rows.cells[row]));
        if (rows.values) {
          text.text(vectorKey);
          text.floats(rows.values, row * dim, (row + 1) * dim, ',', 'json');
          text.text(']');
        }
        text.text('}\n');
        if (text.isLong) await text.flush(sink);
      }
      await text.flush(sink);
    }
  },
};

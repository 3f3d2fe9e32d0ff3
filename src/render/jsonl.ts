import type { Renderer } from '../types.ts';
import { jsonStyle, rowOpener } from './json-text.ts';
import { machineRows } from './machine-rows.ts';
import { hasNonFinite } from './narrow.ts';
import { TextBuffer } from './text-buffer.ts';

/** UTF-16 units of lines that become UTF-8 together. */
const fewUnits = 8192;

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
      let lines = '';
      const vectorKey = rows.columns.length > 0 ? ',"vector":[' : '"vector":[';
      for (let row = 0; row < rows.cells.length; row++) {
        lines += open(rows.cells[row]);
        if (rows.values) {
          text.text(lines + vectorKey);
          text.floats(rows.values, row * dim, (row + 1) * dim, ',', 'json');
          lines = ']';
        }
        lines += '}\n';
        if (lines.length < fewUnits && !rows.values) continue;
        text.text(lines);
        lines = '';
        if (text.isLong) await text.flush(sink);
      }
      text.text(lines);
      await text.flush(sink);
    }
  },
};

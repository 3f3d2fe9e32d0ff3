import { showText } from '../text/escape.ts';
import type { Cell, Renderer } from '../types.ts';

/** One line per row: the report's plain column, raw in a pipe, escaped on a terminal. */
export const renderer: Renderer = {
  name: 'text',
  endings: ['txt'],
  binary: false,
  needsVectors: false,
  captioned: false,
  async render(report, sink, options) {
    const key = report.plainKey ?? report.columns.at(-1)!.key;
    const place = report.columns.findIndex((column) => column.key === key);
    for await (const block of report.blocks) {
      for (const cells of block.cells) {
        const cell = cells[place] ?? '';
        const text = isPieces(cell) ? cell.join('|') : String(cell);
        sink.write(`${options.terminal ? showText(text) : text}\n`);
      }
      await sink.flush();
    }
  },
};

function isPieces(cell: Cell): cell is string[] {
  return Array.isArray(cell) && typeof cell[0] === 'string';
}

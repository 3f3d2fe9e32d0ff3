import type { Renderer, Report, Sink } from '../types.ts';
import { type JsonStyle, jsonRecord, jsonStyle, rowOpener } from './json-text.ts';
import { blockValues, machineColumns } from './machine-rows.ts';
import { hasNonFinite } from './narrow.ts';
import { TextBuffer } from './text-buffer.ts';

/** One JSON value: an array with a row a line, or records laid out over lines; a single record alone is an object. */
export const renderer: Renderer = {
  name: 'json',
  endings: ['json'],
  binary: false,
  needsVectors: false,
  captioned: false,
  async render(report, sink, options) {
    const style = jsonStyle(options, true);
    if (report.single) return renderSingle(report, sink, style);
    return renderArray(report, sink, style);
  },
};

async function renderSingle(report: Report, sink: Sink, style: JsonStyle): Promise<void> {
  let text = 'null';
  for await (const block of report.blocks) {
    if (block.cells.length === 0) continue;
    text = jsonRecord(report.columns, block.cells[0], '', style);
    break;
  }
  sink.write(`${text}\n`);
  await sink.flush();
}

async function renderArray(report: Report, sink: Sink, style: JsonStyle): Promise<void> {
  const text = new TextBuffer();
  const dim = report.vectors?.dim ?? 0;
  const { columns, places } = machineColumns(report.columns);
  const open = rowOpener(columns, places, style);
  const vectorKey = columns.length > 0 ? ', "vector": [' : '"vector": [';
  let before = '[\n  ';
  for await (const block of report.blocks) {
    const values = blockValues(block, report);
    if (values && hasNonFinite(values)) style.onNonFinite();
    for (let row = 0; row < block.cells.length; row++) {
      text.text(before);
      before = ',\n  ';
      if (report.layout === 'records') {
        text.text(jsonRecord(report.columns, block.cells[row], '  ', style));
      } else {
        text.text(open(block.cells[row]));
        if (values) {
          text.text(vectorKey);
          text.floats(values, row * dim, (row + 1) * dim, ',', 'json');
          text.text(']');
        }
        text.text('}');
      }
      if (text.isLong) await text.flush(sink);
    }
    await text.flush(sink);
  }
  sink.write(before.startsWith('[') ? '[]\n' : '\n]\n');
}

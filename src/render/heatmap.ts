import { escapeText } from '../text/escape.ts';
import { displayWidth, padLeft, padRight, truncate } from '../text/width.ts';
import type { Renderer, RenderOptions } from '../types.ts';
import { createPaint, type Paint } from './colors.ts';
import { isGap, splitEnds } from './elide.ts';
import { cellPainter, type PaintCell } from './heatmap-colors.ts';
import {
  dimNames,
  type HeatRow,
  heatRows,
  measure,
  type Panel,
  PanelCollector,
  pick,
  type ShownDims,
  widestName,
} from './heatmap-panels.ts';
import { createScale, positionOf, type Scale } from './heatmap-scale.ts';

/** Decimals in a cell. */
const cellPrecision = 2;
/** Columns of the longest label. */
const labelWidth = 24;
/** Where dimensions are left out. */
const gapColumn = ' ⋯ ';
/** No cell is narrower: " 0.00 ". */
const leastCell = 6;
/** Colored cells of the legend on either side of the middle. */
const legendCells = 12;

/** Marks in place of color: up to three + for high, three - for low, by thirds of the scale. */
const markWidth = 3;

function marks(position: number): string {
  if (Number.isNaN(position)) return '?'.repeat(markWidth);
  return (position < 0 ? '-' : '+').repeat(Math.round(Math.abs(position) * markWidth)).padEnd(markWidth);
}

interface Setting {
  paint: Paint;
  /** Absent where there is no color: marks instead. */
  paintCell: PaintCell | undefined;
  options: RenderOptions;
  dims: ShownDims;
}

/** How many dimensions a panel shows: those asked for, else those that fit. */
function choose(dims: ShownDims, options: RenderOptions, room: number, cell: number): ShownDims {
  const { dim, names } = dims;
  if (options.full) return { dim, names, head: dim, tail: 0 };
  const fitting = Math.floor(room / cell);
  const shown = options.shownColumns ?? (fitting >= dim ? dim : Math.floor((room - gapColumn.length) / cell));
  return { dim, names, ...splitEnds(dim, Math.max(1, shown)) };
}

/** Between the first and the last dimensions, where some are left out. */
function withGap(cells: string[], { dim, head, tail }: ShownDims, gap: string): string {
  return head + tail < dim ? [...cells.slice(0, head), gap, ...cells.slice(head)].join('') : cells.join('');
}

function drawPanel(panel: Panel, setting: Setting): string {
  const { paint, paintCell, options } = setting;
  const precision = options.precision ?? cellPrecision;
  const rows = heatRows(panel);
  const labels = rows.reduce(
    (widest, row) => Math.min(labelWidth, Math.max(widest, displayWidth(row.label))),
    0,
  );
  const extra = paintCell === undefined ? markWidth + 3 : 2;
  // The widest number of all that is kept decides how many fit; of those shown, the scale.
  const kept = measure([panel], setting.dims, precision);
  const names = Math.max(widestName(setting.dims), kept.widest);
  const dims = choose(setting.dims, options, options.width - labels - 2, names + extra);
  const { largest, format, hasNaN } = measure([panel], dims, precision);
  const scale = createScale(largest, options.range);
  const cell = (value: number): string => {
    const position = positionOf(value, scale);
    const text = ` ${padLeft(format(value), names)} `;
    return paintCell === undefined ? `${text}${marks(position)} ` : paintCell(position, text);
  };
  const label = ({ label, special }: HeatRow): string => {
    const text = padRight(truncate(label, labels), labels);
    return special ? paint.bold(text) : text;
  };
  const nameCell = (name: string): string => {
    const text = ` ${padLeft(name, names)} `;
    return paintCell === undefined ? text.padEnd(names + extra) : text;
  };
  const lines = [
    `${' '.repeat(labels + 2)}${paint.dim(withGap(dimNames(dims).map(nameCell), dims, gapColumn))}`,
  ];
  for (const row of panel.rows) {
    lines.push(
      isGap(row)
        ? paint.dim(
            `${padRight('⋮', labels)}  ${row.elided} ${row.elided === 1 ? 'row' : 'rows'} not shown: --full shows all`,
          )
        : `${label(row)}  ${withGap(pick(row, dims).map(cell), dims, paint.dim(gapColumn))}`,
    );
  }
  const room = options.width - labels - 2;
  lines.push(' '.repeat(labels + 2) + legend(scale, { format, paintCell, hasNaN, room }));
  return `${lines.map((text) => text.trimEnd()).join('\n')}\n`;
}

interface LegendSetting {
  format: (value: number) => string;
  paintCell: PaintCell | undefined;
  hasNaN: boolean;
  /** Columns of the terminal that are left. */
  room: number;
}

/** The scale: its low end, middle and high end; words and colored cells as there is room. */
function legend(scale: Scale, { format, paintCell, hasNaN, room }: LegendSetting): string {
  const [low, high] = [format(scale.low), format(scale.high)];
  const middle = format(scale.low / 2 + scale.high / 2).replace(/^-(?=[0.]+$)/, '');
  if (paintCell === undefined) {
    const nan = hasNaN ? `  ${marks(Number.NaN)} nan` : '';
    const ends = ` ${marks(-1)} ${low}  ${middle}  ${marks(1)} ${high}`;
    return displayWidth(ends + nan) + 9 <= room ? ` low${ends} high${nan}` : ends + nan;
  }
  const words = displayWidth(` ${low}  ${middle}  ${high}${hasNaN ? '  nan ' : ''}`);
  const cells = Math.max(2, Math.min(legendCells, Math.floor((room - words) / 2)));
  const bar = (from: number): string =>
    Array.from({ length: cells }, (_, i) => {
      const position = from + (i + 0.5) / cells;
      return paintCell(position, ' ');
    }).join('');
  const nan = hasNaN ? ` ${paintCell(Number.NaN, ' nan ')}` : '';
  return ` ${low} ${bar(-1)} ${middle} ${bar(0)} ${high}${nan}`;
}

/**
 * Heat map in the terminal: rows are tokens, columns dimensions, red high and blue low, the number in each cell.
 *
 * Every text is a panel with a scale of its own, because the next one has not come yet when it is drawn; texts of one row each
 * (pooled) share a panel. The scale is symmetric around 0 up to the largest value shown, or options.range. Infinities have the
 * color of their end, NaN its own. Without color, marks say how far a value is from the middle.
 */
export const renderer: Renderer = {
  name: 'heatmap',
  endings: [],
  binary: false,
  needsVectors: true,
  captioned: true,
  async render(report, sink, options) {
    const dim = report.vectors?.dim ?? 0;
    const paint = await createPaint(options.color);
    const paintCell = cellPainter(paint);
    const most = options.full
      ? dim
      : (options.shownColumns ?? Math.max(1, Math.floor(options.width / leastCell)));
    // Both ends: which of them are drawn is known when the widths are.
    const dims: ShownDims = { dim, names: report.vectors?.names, ...splitEnds(dim, most) };
    const collector = new PanelCollector(report, dims, options);
    let drawn = 0;
    const write = (panels: Panel[]): void => {
      for (const panel of panels) {
        if (drawn++ > 0) sink.write(`\n${paint.bold(`text ${panel.sequence}`)}\n`);
        sink.write(drawPanel(panel, { paint, paintCell, options, dims }));
      }
    };
    for (const line of report.caption ?? []) sink.write(`${paint.dim(escapeText(line))}\n`);
    options.onPause(() => {
      if (!collector.waits) write(collector.flush());
    });
    for await (const block of report.blocks) {
      write(collector.add(block));
      await sink.flush();
    }
    write(collector.flush());
  },
};

import { escapeText } from '../text/escape.ts';
import { displayWidth, truncate } from '../text/width.ts';
import type { Renderer } from '../types.ts';
import { isGap, splitEnds } from './elide.ts';
import {
  dimNames,
  type HeatRow,
  measure,
  type Panel,
  PanelCollector,
  pick,
  type ShownDims,
  widestName,
} from './heatmap-panels.ts';
import { colorAt, createScale, inkOn, noNumberColor, positionOf, type Scale } from './heatmap-scale.ts';
import { coordinate, escapeXml, hex, rect, text } from './svg-shapes.ts';

/** Decimals in a cell. */
const cellPrecision = 2;
/** Dimensions shown of wide vectors: about the width of a page. */
const shownDims = 16;
/** Columns of the longest label and of the longest line of the caption. */
const labelWidth = 28;
const captionWidth = 110;
/** Units: px. One column of the monospace font at `fontSize` is 0.6 of it in all usual fonts; wide glyphs get a little more room. */
const fontSize = 13;
const column = fontSize * 0.62;
const margin = 24;
const lineHeight = 20;
const cellHeight = 26;
const leastCell = 50;
const gapWidth = 24;
const legendBar = { width: 220, height: 12 };

/** Colors of page and text follow the reader's light or dark setting; the cells carry their own ink. */
const style = `
  svg { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: ${fontSize}px; }
  text { unicode-bidi: isolate; }
  .page { fill: #ffffff; }
  .ink { fill: #1f2328; }
  .faint { fill: #59636e; }
  .strong { font-weight: 600; }
  .edge { fill: none; stroke: #59636e; stroke-opacity: 0.35; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; }
    .ink { fill: #e6edf3; }
    .faint { fill: #9198a1; }
    .edge { stroke: #9198a1; }
  }
`;

/** What all panels share: one scale and one notation, so that their colors can be compared. */
interface Picture {
  dims: ShownDims;
  scale: Scale;
  format: (value: number) => string;
  cellWidth: number;
  /** Left edge of the first cell. */
  left: number;
  parts: string[];
  /** Where the next thing goes. */
  y: number;
}

/** Left edge of the i-th shown dimension. */
const cellLeft = ({ dims, left, cellWidth }: Picture, i: number): number =>
  left + i * cellWidth + (dims.head + dims.tail < dims.dim && i >= dims.head ? gapWidth : 0);

function drawNames(picture: Picture): void {
  const { dims, cellWidth, parts, y } = picture;
  dimNames(dims).forEach((name, i) => {
    const x = cellLeft(picture, i) + cellWidth / 2;
    parts.push(text({ x, y: y + 14, class: 'faint', 'text-anchor': 'middle' }, name));
  });
  picture.y += lineHeight + 2;
}

function drawRow(picture: Picture, row: HeatRow): void {
  const { dims, cellWidth, parts, y, scale, format, left } = picture;
  const base = y + cellHeight / 2 + 4.5;
  const label = { x: left - 10, y: base, class: row.special ? 'faint' : 'ink', 'text-anchor': 'end' };
  parts.push(text(label, truncate(row.label, labelWidth)));
  pick(row, dims).forEach((value, i) => {
    const color = colorAt(positionOf(value, scale));
    const x = cellLeft(picture, i);
    parts.push(rect({ x, y, width: cellWidth, height: cellHeight, fill: hex(color) }));
    const ink = { x: x + cellWidth / 2, y: base, fill: hex(inkOn(color)), 'text-anchor': 'middle' };
    parts.push(text(ink, format(value)));
  });
  if (dims.head + dims.tail < dims.dim) {
    const x = cellLeft(picture, dims.head) - gapWidth / 2;
    parts.push(text({ x, y: base, class: 'faint', 'text-anchor': 'middle' }, '⋯'));
  }
  picture.y += cellHeight;
}

function drawPanel(picture: Picture, panel: Panel, titled: boolean): void {
  if (titled) {
    picture.parts.push(text({ x: margin, y: picture.y + 14, class: 'ink strong' }, `text ${panel.sequence}`));
    picture.y += lineHeight;
  }
  drawNames(picture);
  for (const row of panel.rows) {
    if (!isGap(row)) {
      drawRow(picture, row);
      continue;
    }
    const rows = `⋮ ${row.elided} ${row.elided === 1 ? 'row' : 'rows'} not shown`;
    picture.parts.push(text({ x: picture.left + 4, y: picture.y + 18, class: 'faint' }, rows));
    picture.y += cellHeight;
  }
  picture.y += 16;
}

function drawLegend(picture: Picture, hasNaN: boolean): void {
  const { parts, scale, format, left, y } = picture;
  const { width, height } = legendBar;
  parts.push(rect({ x: left, y, width, height, fill: 'url(#emb-scale)' }));
  parts.push(rect({ x: left, y, width, height, class: 'edge' }));
  const middle = format(scale.low / 2 + scale.high / 2).replace(/^-(?=[0.]+$)/, '');
  const below = y + height + 15;
  const mark = (x: number, anchor: string, label: string): void => {
    parts.push(text({ x, y: below, class: 'faint', 'text-anchor': anchor }, label));
  };
  mark(left, 'start', format(scale.low));
  mark(left + width / 2, 'middle', middle);
  mark(left + width, 'end', format(scale.high));
  if (hasNaN) {
    const x = left + width + 24;
    parts.push(rect({ x, y, width: 24, height, fill: hex(noNumberColor) }));
    mark(x + 12, 'middle', 'nan');
  }
  picture.y += height + 22;
}

/** The legend's gradient in as many stops as the scale has steps. */
function gradient(): string {
  const stops = Array.from({ length: 13 }, (_, i) => {
    const color = hex(colorAt((i - 6) / 6));
    return `<stop offset="${coordinate((100 * i) / 12)}%" stop-color="${color}"/>\n`;
  });
  return `<defs><linearGradient id="emb-scale">\n${stops.join('')}</linearGradient></defs>\n`;
}

interface Wishes {
  precision: number;
  range?: [number, number];
}

function draw(panels: readonly Panel[], caption: readonly string[], dims: ShownDims, wishes: Wishes): string {
  const { largest, format, widest, hasNaN } = measure(panels, dims, wishes.precision);
  let labels = 1;
  for (const { rows } of panels) {
    for (const row of rows)
      if (!isGap(row)) labels = Math.max(labels, Math.min(labelWidth, displayWidth(row.label)));
  }
  const names = Math.max(widestName(dims), widest);
  const cellWidth = Math.max(leastCell, Math.ceil(names * column + 12));
  const picture: Picture = {
    dims,
    scale: createScale(largest, wishes.range),
    format,
    cellWidth,
    left: margin + Math.ceil(labels * column) + 10,
    parts: [],
    y: margin,
  };
  const lines = caption.map((line) => truncate(escapeText(line), captionWidth));
  lines.forEach((line, i) => {
    picture.parts.push(text({ x: margin, y: picture.y + 12, class: i === 0 ? 'ink strong' : 'faint' }, line));
    picture.y += lineHeight;
  });
  if (lines.length > 0) picture.y += 8;
  for (const panel of panels) drawPanel(picture, panel, panels.length > 1);
  drawLegend(picture, hasNaN);
  const widestLine = lines.reduce((most, line) => Math.max(most, displayWidth(line)), 0);
  const right = cellLeft(picture, dims.head + dims.tail);
  const legendRight = picture.left + legendBar.width + (hasNaN ? 60 : 0);
  const width = coordinate(Math.ceil(Math.max(right, legendRight, margin + widestLine * column) + margin));
  const height = coordinate(Math.ceil(picture.y + margin - 12));
  const title = escapeXml(lines[0] ?? 'heat map of an embedding');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">\n`,
    `<title>${title}</title>\n<style>${style}</style>\n${gradient()}`,
    rect({ class: 'page', width: '100%', height: '100%' }),
    ...picture.parts,
    '</svg>\n',
  ].join('');
}

/**
 * The heat map as a picture that stands alone: SVG without scripts, fonts or references, the same bytes every time.
 *
 * All texts are panels of one picture with one scale, symmetric around 0 up to the largest value shown, or options.range. Page and
 * text follow the reader's light or dark setting; every cell has its own color and the ink that can be read on it.
 * Cost: memory for the rows shown, 40 of each text, and of each 16 values unless more are asked for.
 */
export const renderer: Renderer = {
  name: 'svg',
  endings: ['svg'],
  binary: false,
  needsVectors: true,
  captioned: true,
  async render(report, sink, options) {
    const dim = report.vectors?.dim ?? 0;
    const dims: ShownDims = {
      names: report.vectors?.names,
      dim,
      ...splitEnds(dim, options.full ? dim : (options.shownColumns ?? shownDims)),
    };
    const collector = new PanelCollector(report, dims, options);
    const panels: Panel[] = [];
    for await (const block of report.blocks) {
      panels.push(...collector.add(block));
      await sink.flush();
    }
    panels.push(...collector.flush());
    const wishes = { precision: options.precision ?? cellPrecision, range: options.range };
    sink.write(draw(panels, report.caption ?? [], dims, wishes));
  },
};

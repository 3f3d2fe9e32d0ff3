import { describe, expect, it } from 'vitest';
import { renderer } from '../../src/render/heatmap.ts';
import { colorAt, contrast, createScale, inkOn, positionOf } from '../../src/render/heatmap-scale.ts';
import { displayWidth } from '../../src/text/width.ts';
import type { Cell, Column } from '../../src/types.ts';
import { rendered, reportOf } from '../support/report.ts';

const columns: Column[] = [
  { key: 'id', kind: 'id' },
  { key: 'token', kind: 'token' },
];
const words = ['The', ' cat', ' sat', '世界'];
const cells: Cell[][] = words.map((word, i) => [i, word]);
const article = [
  [0.83, -0.41, 0.02],
  [-0.9, 0.1, 0.45],
  [0.0, Number.NaN, 0.6],
  [Number.NEGATIVE_INFINITY, 0.3, -0.25],
];
const wide = (rows: number, dim: number) =>
  Array.from({ length: rows }, (_, row) => Array.from({ length: dim }, (_, i) => Math.sin(row * 3 + i)));
const lines = (text: string) => text.trimEnd().split('\n');
const plain = (text: string) => text.replace(/\u001b\[[\d;]*m/g, '');

describe('-f heatmap', () => {
  it('draws the 4 x 3 map of the article with marks where there is no color', async () => {
    const report = reportOf(columns, [{ cells, rows: article }], { caption: ['model scratch'] });
    expect(await rendered(renderer, report)).toMatchInlineSnapshot(`
      "model scratch
                d0         d1         d2
      The     0.83 +++  -0.41 -     0.02
      ␣cat   -0.90 ---   0.10       0.45 ++
      ␣sat    0.00        nan ???   0.60 ++
      世界    -inf ---   0.30 +    -0.25 -
             low --- -0.90  0.00  +++ 0.90 high  ??? nan
      "
    `);
  });

  it('has red behind high, blue behind low, gray behind the middle and yellow behind NaN, with ink to read', async () => {
    const make = () => reportOf(columns, [{ cells, rows: article }]);
    const [, first, second, third, fourth] = lines(await rendered(renderer, make(), { color: 3 }));
    // 0.83 of a scale to 0.90 is nearly the end of the scale, -0.90 the end; the ink on both is white.
    expect(second).toContain('\u001b[38;2;255;255;255m\u001b[48;2;0;81;157m -0.90 ');
    expect(first).toMatch(/\u001b\[38;2;255;255;255m\u001b\[48;2;1\d\d;\d\d;\d\dm {2}0\.83 /);
    expect(third).toContain('\u001b[38;2;0;0;0m\u001b[48;2;245;245;245m  0.00 ');
    expect(third).toContain('\u001b[48;2;255;214;51m   nan ');
    expect(fourth).toContain('\u001b[48;2;0;81;157m  -inf ');
    expect(await rendered(renderer, make(), { color: 2 })).toContain(
      '\u001b[38;5;231m\u001b[48;5;25m -0.90 ',
    );
    expect(await rendered(renderer, make(), { color: 1 })).toContain('\u001b[97m\u001b[44m -0.90 ');
  });

  it.each([0, 1, 2, 3] as const)(
    'keeps to the width and elides dimensions in the middle at color %d',
    async (color) => {
      for (const width of [40, 80, 132]) {
        const report = reportOf(columns, [{ cells, rows: wide(4, 768) }]);
        const shown = lines(plain(await rendered(renderer, report, { color, width })));
        expect(Math.max(...shown.map((line) => displayWidth(line)))).toBeLessThanOrEqual(width);
        expect(shown[0]).toMatch(/ d0 .* ⋯ .* d767/);
        expect(shown[1]).toContain(' ⋯ ');
      }
    },
  );

  it('shows as many dimensions as asked for, and all that fit', async () => {
    const names = async (dim: number, options: object) =>
      lines(await rendered(renderer, reportOf(columns, [{ cells, rows: wide(4, dim) }]), options))[0]
        .trim()
        .split(/\s+/)
        .join(' ');
    expect(await names(768, { shownColumns: 3 })).toBe('d0 d1 ⋯ d767');
    expect(await names(4, {})).toBe('d0 d1 d2 d3');
    expect((await names(50, { full: true })).split(' ')).toHaveLength(50);
    expect((await names(50, { shownColumns: 50 })).split(' ')).toHaveLength(50);
  });

  it('elides the rows of a long text', async () => {
    const many = Array.from({ length: 45 }, (_, i): Cell[] => [i, `t${i}`]);
    const report = () => reportOf(columns, [{ cells: many, rows: wide(45, 2), splitAt: 8 }]);
    const shown = lines(await rendered(renderer, report()));
    expect(shown).toHaveLength(1 + 20 + 1 + 20 + 1);
    expect(shown[21]).toContain('5 rows not shown');
    expect(shown[22]).toMatch(/^t25 /);
    expect(lines(await rendered(renderer, report(), { full: true }))).toHaveLength(47);
  });

  it('draws a panel for each text, and one for texts of a single row', async () => {
    const two = [
      { cells: cells.slice(0, 2), rows: [[1], [2]] },
      { cells: cells.slice(2), rows: [[3], [40]] },
    ];
    const texts = await rendered(renderer, reportOf(columns, two));
    expect(texts).toContain('\ntext 1\n');
    expect(texts).toContain('+++ 2.00 high');
    expect(texts).toContain('+++ 40.00 high');
    const pooled = words.map((word, i) => ({ cells: [[word]], rows: [[i - 2]] }));
    const shown = await rendered(renderer, reportOf([{ key: 'text', kind: 'text' }], pooled));
    expect(shown).toMatchInlineSnapshot(`
      "          d0
      The    -2.00 ---
      ␣cat   -1.00 --
      ␣sat    0.00
      世界    1.00 ++
             low --- -2.00  0.00  +++ 2.00 high
      "
    `);
  });

  it('takes the scale asked for', async () => {
    const report = reportOf(columns, [{ cells: [[0, 'a']], rows: [[0, 5, 20]] }]);
    const shown = await rendered(renderer, report, { range: [0, 10] });
    expect(shown).toContain('0.00 ---');
    expect(shown).toContain('20.00 +++');
    expect(shown).toContain('low --- 0.00  5.00  +++ 10.00 high');
  });
});

describe('the scale', () => {
  it('is symmetric around 0 and linear', () => {
    const scale = createScale(2);
    expect([-2, -1, 0, 1, 2, 9, Number.NEGATIVE_INFINITY].map((value) => positionOf(value, scale))).toEqual([
      -1, -0.5, 0, 0.5, 1, 1, -1,
    ]);
    expect(positionOf(Number.NaN, scale)).toBeNaN();
    expect(positionOf(0, createScale(0))).toBe(0);
    expect(positionOf(3e38, createScale(3.4e38))).toBeCloseTo(0.88, 2);
    expect(positionOf(1.5e308, { low: -1.7e308, high: 1.7e308 })).toBeCloseTo(0.88, 2);
  });

  it('darkens evenly to either side, and its ink can be read everywhere', () => {
    for (const sign of [-1, 1]) {
      let before = 22;
      for (let step = 0; step <= 100; step++) {
        const color = colorAt((sign * step) / 100);
        const toBlack = contrast(color, [0, 0, 0]);
        expect(toBlack).toBeLessThanOrEqual(before);
        before = toBlack;
        expect(contrast(color, inkOn(color))).toBeGreaterThan(4.5);
      }
      const [red, , blue] = colorAt(sign);
      expect(Math.sign(red - blue)).toBe(sign);
    }
    expect(contrast(colorAt(Number.NaN), inkOn(colorAt(Number.NaN)))).toBeGreaterThan(4.5);
  });

  it('knows contrast as WCAG defines it', () => {
    expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21, 10);
    // 0x767676 on white is WCAG's well-known darkest gray that just passes 4.5.
    expect(contrast([0x76, 0x76, 0x76], [255, 255, 255])).toBeCloseTo(4.54, 2);
  });
});

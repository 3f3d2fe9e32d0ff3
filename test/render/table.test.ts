import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderer } from '../../src/render/table.ts';
import { displayWidth } from '../../src/text/width.ts';
import type { Block, Cell, Column, Report } from '../../src/types.ts';
import { plainOptions, rendered, reportOf } from '../support/report.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const tokenColumns: Column[] = [
  { key: 'id', kind: 'id' },
  { key: 'token', kind: 'token' },
  { key: 'text', kind: 'text', where: 'machine' },
  { key: 'special', kind: 'flag' },
];
const tokenRow = (id: number, token: string, special = false): Cell[] => [
  id,
  bytes(token),
  'unseen',
  special,
];
const lines = (text: string) => text.trimEnd().split('\n');
const ramp = (rows: number, dim: number) =>
  Array.from({ length: rows }, (_, row) => Array.from({ length: dim }, (_, i) => (row + 1) * (i - 1.5)));

describe('rows', () => {
  it('are drawn with captions, headings and aligned numbers', async () => {
    const report = reportOf(
      tokenColumns,
      [{ cells: [tokenRow(101, '[CLS]', true), tokenRow(7592, ' world'), tokenRow(5, '世')] }],
      { caption: ['model scratch', 'tokenizer gpt2'] },
    );
    expect(await rendered(renderer, report)).toMatchInlineSnapshot(`
      "model scratch
      tokenizer gpt2
      ┌──────┬────────┬─────────┐
      │   id │ token  │ special │
      ├──────┼────────┼─────────┤
      │  101 │ [CLS]  │ yes     │
      │ 7592 │ ␣world │ no      │
      │    5 │ 世     │ no      │
      └──────┴────────┴─────────┘
      "
    `);
  });

  it('show their vectors as NumPy does: the first and last three numbers', async () => {
    const cells = [tokenRow(1, 'a'), tokenRow(2, 'b')].map((row) => row.slice(0, 2));
    const report = reportOf(tokenColumns.slice(0, 2), [{ cells, rows: ramp(2, 100) }]);
    expect(await rendered(renderer, report)).toMatchInlineSnapshot(`
      "┌────┬───────┬─────────────────────────────────────────────────────────────────┐
      │ id │ token │       d0        d1        d2  ...       d97       d98       d99 │
      ├────┼───────┼─────────────────────────────────────────────────────────────────┤
      │  1 │ a     │  -1.5000   -0.5000    0.5000  ...   95.5000   96.5000   97.5000 │
      │  2 │ b     │  -3.0000   -1.0000    1.0000  ...  191.0000  193.0000  195.0000 │
      └────┴───────┴─────────────────────────────────────────────────────────────────┘
      "
    `);
  });

  it('show fewer numbers of a vector where the terminal is narrow, and all of them when they fit or with --full', async () => {
    const make = (dim: number) =>
      reportOf(tokenColumns.slice(0, 2), [{ cells: [[1, 'a']], rows: ramp(1, dim) }]);
    const heading = async (dim: number, options: object) =>
      lines(await rendered(renderer, make(dim), options))[1]
        .match(/d\d+|\.\.\./g)
        ?.join(' ');
    expect(await heading(100, { width: 60 })).toBe('d0 d1 ... d98 d99');
    expect(await heading(100, { width: 30 })).toBe('d0 ...');
    expect(await heading(100, { width: 22 })).toBe('...');
    expect(await heading(100, { width: 120 })).toBe('d0 d1 d2 d3 d4 d5 ... d95 d96 d97 d98 d99');
    expect((await heading(768, { width: 200 }))?.split(' ')).toHaveLength(19);
    expect(await heading(5, { width: 80 })).toBe('d0 d1 d2 d3 d4');
    expect(await heading(12, { width: 160 })).toBe('d0 d1 d2 d3 d4 d5 d6 d7 d8 d9 d10 d11');
    expect((await heading(100, { width: 60, full: true }))?.split(' ')).toHaveLength(100);
  });

  it('leave out the middle of a long sequence with vectors, and nothing with --full', async () => {
    const cells = Array.from({ length: 50 }, (_, i) => [i, 'x']);
    const make = (splitAt: number) =>
      reportOf(tokenColumns.slice(0, 2), [{ cells, rows: ramp(50, 3), splitAt }]);
    for (const splitAt of [1, 7, 19, 45, 50]) {
      const shown = lines(await rendered(renderer, make(splitAt)));
      const ids = shown.flatMap((line) => line.match(/^│ +(\d+|\.\.\.)/)?.[1] ?? []);
      const count = (from: number, to: number) =>
        Array.from({ length: to - from }, (_, i) => String(from + i));
      expect(ids).toEqual([...count(0, 20), '...', ...count(30, 50)]);
      expect(shown.find((line) => line.includes('10 rows not shown'))).toBeDefined();
      // The numbers are those of their rows, although the buffer is overwritten: row 49 starts with -75.
      expect(shown.at(-2)).toContain('-75.0000');
    }
    const full = lines(await rendered(renderer, make(7), { full: true }));
    expect(full.filter((line) => /^│ +\d/.test(line))).toHaveLength(50);
  });

  it('are never left out where there are no vectors, and look the same from the 201st on, where we draw them ourselves', async () => {
    const cells = Array.from({ length: 350 }, (_, i) => tokenRow(1000 + i, i % 2 ? ' world' : '世界'));
    const shown = lines(await rendered(renderer, reportOf(tokenColumns, [{ cells, splitAt: 33 }])));
    expect(shown).toHaveLength(350 + 4);
    expect(new Set(shown.map((line) => displayWidth(line))).size).toBe(1);
    const shape = (line: string) => line.replace(/\d/g, '0');
    expect(new Set(shown.slice(3, -1).map(shape)).size).toBe(2);
    expect(shape(shown[3])).toBe(shape(shown[303]));
    expect(shown.at(-1)).toBe(shown[0].replaceAll('┌', '└').replaceAll('┬', '┴').replaceAll('┐', '┘'));
  });

  it('without any row are a heading', async () => {
    expect(await rendered(renderer, reportOf(tokenColumns.slice(0, 2), []))).toMatchInlineSnapshot(`
      "┌────┬───────┐
      │ id │ token │
      └────┴───────┘
      "
    `);
  });

  it('appear when the writer of the input pauses, under one heading', async () => {
    const written: string[] = [];
    let pause = () => {};
    async function* blocks(): AsyncGenerator<Block> {
      for (let sequence = 0; sequence < 3; sequence++) {
        yield { cells: [[sequence, 'token'.repeat(sequence + 1)]], sequence, ends: true };
        pause();
        expect(written.join('')).toContain(`│ ${'token'.repeat(sequence + 1)} `);
      }
    }
    const report: Report = { columns: tokenColumns.slice(0, 2), blocks: blocks(), layout: 'rows' };
    await renderer.render(
      report,
      {
        write: (chunk) => void written.push(String(chunk)),
        flush: async () => {},
        spool: () => expect.unreachable(),
      },
      { ...plainOptions, onPause: (emit) => (pause = emit) },
    );
    const text = written.join('');
    expect(text.match(/│ +id │/g)).toHaveLength(1);
    expect(lines(text).at(-1)).toMatch(/^└.*┘$/);
  });

  it('cut text and never numbers, and keep to the width', async () => {
    const columns: Column[] = [
      { key: 'id', kind: 'id' },
      { key: 'token', kind: 'token' },
      { key: 'bytes', kind: 'bytes' },
      { key: 'text', kind: 'text' },
    ];
    const string = fc.string({ unit: 'binary', maxLength: 60 });
    const row = fc.tuple(fc.nat(), string.map(bytes), string.map(bytes), string);
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 40, max: 120 }),
        async (cells, width) => {
          const shown = lines(await rendered(renderer, reportOf(columns, [{ cells }]), { width }));
          const widths = new Set(shown.map((line) => displayWidth(line)));
          expect(widths.size).toBe(1);
          expect(Math.max(...widths)).toBeLessThanOrEqual(width);
          for (const [id] of cells) expect(shown.some((line) => line.includes(` ${id} │`))).toBe(true);
          // One line each: nothing in a cell broke a line or drove the terminal.
          expect(shown).toHaveLength(cells.length + 4);
          expect(shown.join('')).not.toMatch(/[\p{Cc}\p{Cf}\p{Co}]/u);
        },
      ),
      { numRuns: 30, seed: 1 },
    );
  });

  it('cut nothing with --full', async () => {
    const long = 'word '.repeat(60);
    const report = reportOf([{ key: 'text', kind: 'text' }], [{ cells: [[long]] }]);
    expect(await rendered(renderer, report, { full: true })).toContain(` ${long} `);
  });

  it('color neighboring tokens differently, special ones apart, and what is no number red', async () => {
    const columns = [...tokenColumns, { key: 'mean', kind: 'number' } as const];
    const cells = [tokenRow(0, '[CLS]', true), tokenRow(1, 'a'), tokenRow(2, 'b')].map((row, i) => [
      ...row,
      i === 2 ? Number.NaN : 1,
    ]);
    const shown = await rendered(renderer, reportOf(columns, [{ cells }]), { color: 1 });
    expect(shown).toContain('\u001b[1m\u001b[2m[CLS]\u001b[22m\u001b[22m');
    expect(shown).toContain('\u001b[30m\u001b[46ma\u001b[49m\u001b[39m');
    expect(shown).toContain('\u001b[30m\u001b[43mb\u001b[49m\u001b[39m');
    expect(shown).toContain('\u001b[31mnan\u001b[39m');
    const widths = new Set(lines(shown).map((line) => displayWidth(line)));
    expect(widths.size).toBe(1);
    expect(shown.replace(/\u001b\[[\d;]*m/g, '')).toBe(
      await rendered(renderer, reportOf(columns, [{ cells }])),
    );
  });
});

describe('records', () => {
  const histogram = {
    columns: [
      { key: 'low', kind: 'number' },
      { key: 'count', kind: 'count' },
      { key: 'bar', kind: 'bar' },
    ] satisfies Column[],
    rows: [
      [-1, 10, 10],
      [0, 40, 40],
      [1, 0, 0],
    ],
  };
  const columns: Column[] = [
    { key: 'name', kind: 'text' },
    { key: 'dim', kind: 'count' },
    { key: 'parameters', kind: 'count' },
    { key: 'bytes', title: 'as float32', kind: 'size' },
    { key: 'share', kind: 'share' },
    { key: 'tied', kind: 'flag' },
    { key: 'mean', kind: 'number' },
    { key: 'histogram', kind: 'table' },
  ];
  const record = (name: string, dim: number): Cell[] => [
    name,
    dim,
    50000 * dim,
    200000 * dim,
    0.31,
    true,
    null,
    histogram,
  ];

  it('alone is a list of fields and values, its tables below', async () => {
    const report = reportOf(columns, [{ cells: [record('gpt2', 768)] }], { layout: 'records' });
    expect(await rendered(renderer, report)).toMatchInlineSnapshot(`
      "┌────────────┬────────────────────┐
      │ name       │ gpt2               │
      │ dim        │ 768                │
      │ parameters │ 38,400,000 (38.4M) │
      │ as float32 │ 146.5 MiB          │
      │ share      │ 31.0%              │
      │ tied       │ yes                │
      │ mean       │ -                  │
      └────────────┴────────────────────┘

      histogram
      ┌─────────┬───────┬──────────────────────────┐
      │     low │ count │ bar                      │
      ├─────────┼───────┼──────────────────────────┤
      │ -1.0000 │    10 │ ██████                   │
      │  0.0000 │    40 │ ████████████████████████ │
      │  1.0000 │     0 │                          │
      └─────────┴───────┴──────────────────────────┘
      "
    `);
  });

  it('stand side by side, and in groups where they do not fit', async () => {
    const cells = [record('a', 768), record('b', 1600), record('c', 12288), record('d', 1)];
    const report = () => reportOf(columns.slice(0, 4), [{ cells }], { layout: 'records' });
    expect(await rendered(renderer, report())).toMatchInlineSnapshot(`
      "┌────────────┬────────────────────┬──────────────────┬──────────────────────┐
      │ name       │ a                  │ b                │ c                    │
      ├────────────┼────────────────────┼──────────────────┼──────────────────────┤
      │ dim        │                768 │            1,600 │               12,288 │
      │ parameters │ 38,400,000 (38.4M) │ 80,000,000 (80M) │ 614,400,000 (614.4M) │
      │ as float32 │          146.5 MiB │        305.2 MiB │              2.3 GiB │
      └────────────┴────────────────────┴──────────────────┴──────────────────────┘
      ┌────────────┬───────────┐
      │ name       │ d         │
      ├────────────┼───────────┤
      │ dim        │         1 │
      │ parameters │    50,000 │
      │ as float32 │ 195.3 KiB │
      └────────────┴───────────┘
      "
    `);
    expect(lines(await rendered(renderer, report(), { width: 200 }))).toHaveLength(7);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderer as json } from '../../src/render/json.ts';
import { renderer as jsonl } from '../../src/render/jsonl.ts';
import type { Cell, Column, Report } from '../../src/types.ts';
import { rendered, reportOf } from '../support/report.ts';
import { MemorySink, renderedBytes, vectorReport } from '../support/vector-report.ts';

const columns: Column[] = [
  { key: 'row', kind: 'count' },
  { key: 'shown', kind: 'text', where: 'table' },
  { key: 'text', kind: 'text' },
];
const record: Column[] = [
  { key: 'name', kind: 'text' },
  { key: 'shape', kind: 'count' },
  { key: 'histogram', kind: 'number' },
  { key: 'parts', kind: 'table' },
  { key: 'rows', kind: 'count' },
];
const parts = {
  columns: [
    { key: 'part', kind: 'text' as const },
    { key: 'count', kind: 'count' as const },
  ],
  rows: [
    ['table', 38597376],
    ['head', null],
  ],
};
const recordCells: Cell[] = ['gpt2', [50257, 768], Array.from({ length: 17 }, (_, i) => i), parts, null];

function twoRows(): Report {
  const cells: Cell[][] = [
    [0, 'x', 'Hello "you"'],
    [1, 'y', null],
  ];
  return reportOf(columns, [
    {
      cells,
      rows: [
        [0.1, -0],
        [1e-7, 16777216],
      ],
      splitAt: 1,
    },
  ]);
}

describe('-f jsonl', () => {
  it('is one object a line: the columns for machines in their order, then the vector', async () => {
    expect(await rendered(jsonl, twoRows())).toBe(
      '{"row":0,"text":"Hello \\"you\\"","vector":[0.1,-0]}\n{"row":1,"text":null,"vector":[1e-7,16777216]}\n',
    );
  });

  it('spells rows that repeat cells of the row above as it spells them alone', async () => {
    const cell = fc.constantFrom<Cell>('a', 'b\n', '', 0, -0, 1, Number.NaN, null, true, [1], [2]);
    const three: Column[] = ['x', 'y', 'z'].map((key) => ({ key, kind: 'number' }));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, cell, cell), { maxLength: 12 }), async (cells) => {
        const alone = await Promise.all(
          cells.map((row) => rendered(jsonl, reportOf(three, [{ cells: [row] }]))),
        );
        expect(await rendered(jsonl, reportOf(three, [{ cells, splitAt: 5 }]))).toBe(alone.join(''));
      }),
    );
  });

  it('gives every float32 and every text back, lone surrogates included', async () => {
    const row = fc.tuple(
      fc.string({ unit: 'binary' }),
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.integer({ min: 0xd800, max: 0xdfff }).map((unit) => String.fromCharCode(unit)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 4 }), async (given) => {
        const report = reportOf(
          [{ key: 'text', kind: 'text' }],
          [{ cells: given.map(([text, , half]) => [text + half]), rows: given.map(([, value]) => [value]) }],
        );
        const lines = (await rendered(jsonl, report)).trimEnd().split('\n');
        const read = lines.map((line) => JSON.parse(line) as { text: string; vector: number[] });
        expect(read.map(({ text, vector }) => [text, Math.fround(vector[0])])).toEqual(
          given.map(([text, value, half]) => [text + half, value]),
        );
      }),
      { seed: 5, numRuns: 300 },
    );
  });

  it('has null for NaN and infinities, and says so once', async () => {
    const notes: string[] = [];
    const report = reportOf(
      [{ key: 'mean', kind: 'number' }],
      [
        {
          cells: [[Number.NaN], [1]],
          rows: [
            [1, Number.NaN],
            [Infinity, 2],
          ],
          splitAt: 1,
        },
      ],
    );
    const text = await rendered(jsonl, report, { note: (message) => notes.push(message) });
    expect(text).toBe('{"mean":null,"vector":[1,null]}\n{"mean":1,"vector":[null,2]}\n');
    expect(notes).toEqual(['NaN and infinities are null in JSON']);
  });

  it('says nothing of NaN when there is none', async () => {
    const notes: string[] = [];
    await rendered(jsonl, twoRows(), { note: (message) => notes.push(message) });
    expect(notes).toEqual([]);
  });

  it('has counts in full, bytes as hex, tokens as text, tables as arrays of objects', async () => {
    const report = reportOf(
      [
        { key: 'total', kind: 'count' },
        { key: 'bytes', kind: 'bytes' },
        { key: 'token', kind: 'token' },
        { key: 'parts', kind: 'table' },
        { key: 'flag', kind: 'flag' },
        { key: 'sizes', kind: 'float32' },
      ],
      [
        {
          cells: [
            [
              2n ** 70n,
              Uint8Array.of(0xe4, 1),
              Uint8Array.of(0x20, 0x41),
              parts,
              false,
              [0.1, Math.fround(0.1)],
            ],
          ],
        },
      ],
    );
    expect(await rendered(jsonl, report)).toBe(
      '{"total":1180591620717411303424,"bytes":"e401","token":" A",' +
        '"parts":[{"part":"table","count":38597376},{"part":"head","count":null}],"flag":false,"sizes":[0.1,0.1]}\n',
    );
  });

  it('prints the rows of the table that the report names', async () => {
    const report = reportOf(record, [{ cells: [recordCells] }], {
      layout: 'records',
      single: true,
      rowsKey: 'parts',
    });
    expect(await rendered(jsonl, report)).toBe(
      '{"part":"table","count":38597376}\n{"part":"head","count":null}\n',
    );
  });

  it('shows rounded values for a narrower dtype', async () => {
    const report = vectorReport({
      shape: [1, 1, 1],
      values: Float32Array.of(0.1),
      vectors: { dtype: 'float16' },
    });
    expect((await renderedBytes(jsonl, report)).toString()).toBe('{"vector":[0.099975586]}\n');
  });

  it('gives each block away before it asks for the next', async () => {
    const sink = new MemorySink();
    const report = vectorReport({ shape: [3, 1, 1], values: Float32Array.of(1, 2, 3) });
    const seen: number[] = [];
    async function* watched() {
      for await (const block of report.blocks) {
        seen.push(sink.bytes.toString().split('\n').length - 1);
        yield block;
      }
    }
    await renderedBytes(jsonl, { ...report, blocks: watched() }, {}, sink);
    expect(seen).toEqual([0, 1, 2]);
    expect(sink.flushes).toBe(3);
  });

  it('holds rows that are larger than its buffer', async () => {
    const values = new Float32Array(50_000).map((_, index) => Math.fround(1 / (index + 3)));
    const text = (await renderedBytes(jsonl, vectorReport({ shape: [1, 1, 50_000], values }))).toString();
    expect(Float32Array.from(JSON.parse(text).vector)).toEqual(values);
  });

  it('keeps hostile text from driving a terminal, and is still the same JSON', async () => {
    const text = 'a\x1b[2J\u009b\u202e\u{e0041}é';
    const report = () => reportOf([{ key: 'text', kind: 'text' }], [{ cells: [[text]] }]);
    const shown = await rendered(jsonl, report(), { terminal: true });
    expect(shown).toBe('{"text":"a\\u001b[2J\\u009b\\u202e\\udb40\\udc41é"}\n');
    expect(JSON.parse(shown)).toEqual({ text });
    expect(JSON.parse(await rendered(jsonl, report()))).toEqual({ text });
  });
});

describe('-f json', () => {
  it('is one array with a row a line', async () => {
    expect(await rendered(json, twoRows())).toBe(
      '[\n  {"row": 0, "text": "Hello \\"you\\"", "vector": [0.1,-0]},\n' +
        '  {"row": 1, "text": null, "vector": [1e-7,16777216]}\n]\n',
    );
  });

  it('is an empty array when there is no row', async () => {
    expect(await rendered(json, reportOf(columns, []))).toBe('[]\n');
  });

  it('lays a single record out over lines, short arrays and rows on one line each', async () => {
    const report = reportOf(record, [{ cells: [recordCells] }], { layout: 'records', single: true });
    const text = await rendered(json, report);
    expect(text.split('\n').slice(0, 6)).toEqual([
      '{',
      '  "name": "gpt2",',
      '  "shape": [50257, 768],',
      '  "histogram": [',
      '    0,',
      '    1,',
    ]);
    expect(text).toContain(
      '  "parts": [\n    {"part": "table", "count": 38597376},\n    {"part": "head", "count": null}\n  ],\n',
    );
    expect(text.endsWith('  "rows": null\n}\n')).toBe(true);
    expect(JSON.parse(text)).toMatchObject({ histogram: recordCells[2], rows: null });
  });

  it('is an array of records when there may be several', async () => {
    const report = reportOf(
      record.slice(0, 2),
      [
        {
          cells: [
            ['a', []],
            ['b', [1]],
          ],
        },
      ],
      { layout: 'records' },
    );
    expect(await rendered(json, report)).toBe(
      '[\n  {\n    "name": "a",\n    "shape": []\n  },\n  {\n    "name": "b",\n    "shape": [1]\n  }\n]\n',
    );
  });
});

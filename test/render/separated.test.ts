import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvRenderer, tsvRenderer } from '../../src/render/csv.ts';
import { renderer as ids } from '../../src/render/ids.ts';
import { fixedText } from '../../src/text/half-even.ts';
import { shortestText } from '../../src/text/shortest.ts';
import type { Cell, Column } from '../../src/types.ts';
import { rendered, reportOf } from '../support/report.ts';
import { renderedBytes, vectorReport } from '../support/vector-report.ts';

const columns: Column[] = [
  { key: 'row', kind: 'count' },
  { key: 'shown', kind: 'text', where: 'table' },
  { key: 'token', kind: 'token' },
  { key: 'score', kind: 'number', where: 'machine' },
];

/** Reads CSV as RFC 4180 says; an unquoted empty cell is null. */
function readCsv(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\n)/gy;
  for (let row: (string | null)[] = [], found = cell.exec(text); found; found = cell.exec(text)) {
    row.push(found[1] !== undefined ? found[1].replaceAll('""', '"') : found[2] === '' ? null : found[2]);
    if (found[3] === '\n') rows.push(row);
    if (found[3] === '\n') row = [];
  }
  return rows;
}

function one(cells: Cell[]): ReturnType<typeof reportOf> {
  return reportOf(columns, [{ cells: [cells] }]);
}

describe('-f csv', () => {
  it('has a header, the columns for machines, then a column for each dimension', async () => {
    const report = reportOf(columns, [
      {
        cells: [
          [0, 'x', 'Hello', 0.1],
          [1, 'y', ' world', null],
        ],
        rows: [
          [0.1, -2],
          [1e-7, 0.5],
        ],
        splitAt: 1,
      },
    ]);
    expect(await rendered(csvRenderer, report)).toBe(
      'row,token,score,d0,d1\n0,Hello,0.1,0.1,-2\n1, world,,1e-7,0.5\n',
    );
  });

  it('writes thousands of numbers as it writes a few', async () => {
    const odd = [0, -0, 1, 0.5, Number.NaN, -Infinity, 1e-7, 1e22, 16777216, 0.1];
    const values = Float32Array.from(
      { length: 60_000 },
      (_, at) => odd[at % 13] ?? Math.sin(at) * 10 ** (at % 5),
    );
    const few = Array.from({ length: 60 }, (_, row) => values.subarray(row * 1000, (row + 1) * 1000)).map(
      (row) =>
        Array.from(row, (value) => (Number.isFinite(value) ? shortestText(value) : fixedText(value, 0))).join(
          ',',
        ),
    );
    for (const blockRows of [1, 7, 60]) {
      const text = (
        await renderedBytes(csvRenderer, vectorReport({ shape: [1, 60, 1000], values, blockRows }))
      ).toString();
      expect(text.split('\n').slice(1)).toEqual([...few, '']);
    }
  });

  it('has its header when there is no row', async () => {
    expect(await rendered(csvRenderer, reportOf(columns, []))).toBe('row,token,score\n');
  });

  it('has vectors alone when there are no columns', async () => {
    const report = vectorReport({ shape: [1, 2, 2], values: Float32Array.of(1, 2, 3, 4) });
    expect((await renderedBytes(csvRenderer, report)).toString()).toBe('d0,d1\n1,2\n3,4\n');
  });

  it('quotes what would not read back, and tells an empty text from an unknown one', async () => {
    expect(await rendered(csvRenderer, one([0, '', 'say "hi", \n', null]))).toBe(
      'row,token,score\n0,"say ""hi"", \n",\n',
    );
    expect(await rendered(csvRenderer, one([0, '', '', null]))).toBe('row,token,score\n0,"",\n');
  });

  it('gives every text and every float32 back', async () => {
    const cells = fc.tuple(
      fc.string({ unit: 'grapheme' }),
      fc.float({ noNaN: true, noDefaultInfinity: true }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(cells, { minLength: 1, maxLength: 5 }), async (given) => {
        const report = reportOf(
          [{ key: 't', kind: 'text' }],
          [{ cells: given.map(([text]) => [text]), rows: given.map(([, value]) => [value]) }],
        );
        const [, ...rows] = readCsv(await rendered(csvRenderer, report));
        expect(rows.map(([text, value]) => [text, Math.fround(Number(value))])).toEqual(given);
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it('writes nan, inf and -inf, in cells and in vectors', async () => {
    const report = reportOf(
      [{ key: 'mean', kind: 'number' }],
      [
        {
          cells: [[Number.NaN], [-Infinity]],
          rows: [
            [Number.NaN, Infinity],
            [-Infinity, -0],
          ],
        },
      ],
    );
    expect(await rendered(csvRenderer, report)).toBe('mean,d0,d1\nnan,nan,inf\n-inf,-inf,-0\n');
  });

  it('writes counts in full, whatever their size', async () => {
    const report = reportOf(
      [
        { key: 'a', kind: 'count' },
        { key: 'b', kind: 'count' },
      ],
      [{ cells: [[134217728, 123456789012345678901234567890n]] }],
    );
    expect(await rendered(csvRenderer, report)).toBe('a,b\n134217728,123456789012345678901234567890\n');
  });

  it('keeps a double a double, and prints a float32 as the shortest decimal of one', async () => {
    const report = reportOf(
      [
        { key: 'a', kind: 'number' },
        { key: 'b', kind: 'float32' },
      ],
      [
        {
          cells: [
            [0.1, Math.fround(0.1)],
            [Math.fround(0.1), Math.fround(-1e20)],
            [1 / 3, 2],
          ],
        },
      ],
    );
    const lines = [
      'a,b',
      '0.1,0.1',
      '0.10000000149011612,-100000000000000000000',
      '0.3333333333333333,2',
      '',
    ];
    expect(await rendered(csvRenderer, report)).toBe(lines.join('\n'));
  });

  it('shows bytes as hex, tokens as text, arrays and tables as JSON', async () => {
    const inner = { columns: [{ key: 'k', kind: 'id' as const }], rows: [[1], [2]] };
    const report = reportOf(
      [
        { key: 'bytes', kind: 'bytes' },
        { key: 'token', kind: 'token' },
        { key: 'list', kind: 'number' },
        { key: 'table', kind: 'table' },
        { key: 'flag', kind: 'flag' },
      ],
      [{ cells: [[Uint8Array.of(228, 10), Uint8Array.of(228, 65), [1, 0.5], inner, true]] }],
    );
    expect(await rendered(csvRenderer, report)).toBe(
      'bytes,token,list,table,flag\ne40a,\ufffdA,"[1,0.5]","[{""k"":1},{""k"":2}]",true\n',
    );
  });

  it('replaces lone surrogates, which UTF-8 does not have', async () => {
    expect(await rendered(csvRenderer, one([0, '', 'a\ud800b', 1]))).toBe('row,token,score\n0,a\ufffdb,1\n');
  });

  it('prints the rows of the table that the report names', async () => {
    const inner = {
      columns: [
        { key: 'piece', kind: 'text' as const },
        { key: 'hint', kind: 'text' as const, where: 'table' as const },
      ],
      rows: [
        ['a', 'no'],
        ['b', 'no'],
      ],
    };
    const report = reportOf(
      [
        { key: 'total', kind: 'count' },
        { key: 'parts', kind: 'table' },
      ],
      [{ cells: [[5, inner]] }],
      {
        layout: 'records',
        rowsKey: 'parts',
      },
    );
    expect(await rendered(csvRenderer, report)).toBe('piece\na\nb\n');
  });

  it('keeps hostile text from driving a terminal, and leaves it as it is for a pipe', async () => {
    const hostile = one([0, '', '\x1b]0;x\x07', 1]);
    expect(await rendered(csvRenderer, hostile, { terminal: true })).toBe(
      'row,token,score\n0,\\x1b]0;x\\x07,1\n',
    );
    expect(await rendered(csvRenderer, one([0, '', '\x1b]0;x\x07', 1]))).toContain('\x1b]0;x\x07');
  });
});

describe('-f tsv', () => {
  it('separates by tabs and escapes what would break a line', async () => {
    expect(await rendered(tsvRenderer, one([0, '', 'a\tb\n\\n "c",', 0.5]))).toBe(
      'row\ttoken\tscore\n0\ta\\tb\\n\\\\n "c",\t0.5\n',
    );
  });
});

describe('-f ids', () => {
  it('is one line for each sequence, also when a sequence comes in several blocks', async () => {
    const report = reportOf(
      [
        { key: 'token', kind: 'token' },
        { key: 'id', kind: 'id' },
      ],
      [
        {
          cells: [
            ['a', 15496],
            ['b', 995],
            ['c', 3],
          ],
          splitAt: 2,
        },
        { cells: [] },
        {
          cells: [
            ['d', 7],
            ['pad', null],
          ],
        },
      ],
    );
    expect(await rendered(ids, report)).toBe('15496 995 3\n\n7\n');
  });

  it('is refused for a report without ids', async () => {
    await expect(rendered(ids, reportOf(columns, []))).rejects.toMatchObject({ code: 'usage' });
  });
});

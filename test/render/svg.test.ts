import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderer } from '../../src/render/svg.ts';
import type { Cell, Column } from '../../src/types.ts';
import { rendered, reportOf } from '../support/report.ts';

const columns: Column[] = [
  { key: 'id', kind: 'id' },
  { key: 'token', kind: 'token' },
];
const row = (id: number, token: string): Cell[] => [id, new TextEncoder().encode(token)];
const wide = (rows: number, dim: number) =>
  Array.from({ length: rows }, (_, r) => Array.from({ length: dim }, (_, i) => Math.sin(r * 3 + i)));

/** Reads XML strictly: every tag closed in order, attributes quoted, only the five entities. Gives elements and their text. */
function parseXml(xml: string): { names: string[]; texts: string[] } {
  const names: string[] = [];
  const texts: string[] = [];
  const open: string[] = [];
  const token = /<(\/?)([a-zA-Z]+)((?:\s+[a-zA-Z:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/y;
  const charData = /^(?:[^&<]|&(?:amp|lt|gt|quot|#39);)*$/;
  while (token.lastIndex < xml.length) {
    const at = token.lastIndex;
    const found = token.exec(xml);
    if (found === null) throw new Error(`no XML at ${at}: ${xml.slice(at, at + 60)}`);
    const [, closing, name, attributes, selfClosing, text] = found;
    if (!charData.test(text ?? attributes)) throw new Error(`stray entity: ${found[0]}`);
    if (text !== undefined) {
      if (open.length === 0 && text.trim() !== '') throw new Error('text outside of the document');
      if (open.at(-1) === 'text') texts.push(text);
    } else if (closing) {
      if (open.pop() !== name) throw new Error(`</${name}> closes nothing`);
    } else {
      names.push(name);
      if (!selfClosing) open.push(name);
    }
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(' ')}`);
  return { names, texts };
}

describe('-f svg', () => {
  it('has the token, every dimension and every value of a small matrix, and the scale', async () => {
    const report = reportOf(
      columns,
      [
        {
          cells: [row(1, 'The'), row(2, ' cat')],
          rows: [
            [0.83, -0.41, Number.NaN],
            [-0.9, 0.1, Number.POSITIVE_INFINITY],
          ],
        },
      ],
      { caption: ['model scratch', 'tokenizer gpt2'] },
    );
    const { texts, names } = parseXml(await rendered(renderer, report));
    expect(texts).toEqual(
      [
        ['model scratch', 'tokenizer gpt2', 'd0', 'd1', 'd2'],
        ['The', '0.83', '-0.41', 'nan', '␣cat', '-0.90', '0.10', 'inf'],
        ['-0.90', '0.00', '0.90', 'nan'],
      ].flat(),
    );
    expect(names.filter((name) => name === 'rect')).toHaveLength(1 + 6 + 3);
  });

  it('is well-formed and holds no script or reference, whatever the tokens and captions are', async () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '</text><script>alert(1)</script>',
        ']]>',
        '&amp;',
        '"onload="x',
        '\u001b[2J\u202e',
        '<!--',
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(hostile, { minLength: 1, maxLength: 4 }),
        hostile,
        async (tokens, caption) => {
          const cells = tokens.map((token, i) => row(i, token));
          const report = reportOf(columns, [{ cells, rows: wide(cells.length, 2) }], { caption: [caption] });
          const svg = await rendered(renderer, report);
          const { names } = parseXml(svg);
          expect(new Set(names)).toEqual(
            new Set(['svg', 'title', 'style', 'defs', 'linearGradient', 'stop', 'rect', 'text']),
          );
          expect(svg).not.toMatch(/<[^>]*\s(?:href|on\w+)=|@import/);
          expect(svg.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}]/u);
        },
      ),
      { numRuns: 40, seed: 1 },
    );
  });

  it('shows the first and last eight of many dimensions, or as many as asked for', async () => {
    const make = () => reportOf(columns, [{ cells: [row(1, 'a')], rows: wide(1, 768) }]);
    const dims = async (options: object) =>
      parseXml(await rendered(renderer, make(), options)).texts.filter((text) => /^d\d+$/.test(text));
    expect(await dims({})).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7, 760, 761, 762, 763, 764, 765, 766, 767].map((i) => `d${i}`),
    );
    expect(await dims({ shownColumns: 3 })).toEqual(['d0', 'd1', 'd767']);
    expect(await dims({ full: true })).toHaveLength(768);
  });

  it('stacks texts as panels of one scale and says which is which', async () => {
    const sequences = [
      { cells: [row(1, 'a'), row(2, 'b')], rows: [[1], [2]] },
      { cells: [row(3, 'c'), row(4, 'd')], rows: [[3], [-4]] },
    ];
    const { texts } = parseXml(await rendered(renderer, reportOf(columns, sequences)));
    expect(texts).toContain('text 0');
    expect(texts).toContain('text 1');
    expect(texts.slice(-3)).toEqual(['-4.00', '0.00', '4.00']);
  });

  it('follows the light or dark setting of the reader', async () => {
    const svg = await rendered(renderer, reportOf(columns, [{ cells: [row(1, 'a')], rows: [[1]] }]));
    expect(svg).toContain('@media (prefers-color-scheme: dark)');
  });

  it('is the same bytes every time', async () => {
    const make = () => reportOf(columns, [{ cells: [row(1, 'a')], rows: wide(1, 20) }]);
    expect(await rendered(renderer, make())).toBe(await rendered(renderer, make()));
  });

  it('draws a frame when there is nothing to show', async () => {
    const report = reportOf(columns, [], { vectors: { dim: 3, padded: false, dtype: 'float32' } });
    expect(parseXml(await rendered(renderer, report)).names[0]).toBe('svg');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeMarkdown, renderer } from '../../src/render/markdown.ts';
import type { Column } from '../../src/types.ts';
import { rendered, reportOf } from '../support/report.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const columns: Column[] = [
  { key: 'id', kind: 'id' },
  { key: 'token', kind: 'token' },
];

describe('-f md', () => {
  it('leaves captions to stderr and elides vectors as tables do', async () => {
    const rows = [
      Array.from({ length: 768 }, (_, i) => i / 10 - 1),
      Array.from({ length: 768 }, () => Number.NaN),
    ];
    const cells = [
      [1, bytes(' a|b')],
      [2, bytes('`<b>\n*')],
    ];
    const report = reportOf(columns, [{ cells, rows }], { caption: ['model a_b', 'tokenizer gpt2'] });
    expect(await rendered(renderer, report)).toMatchInlineSnapshot(`
      "| id | token | d0 | d1 | d2 | ... | d765 | d766 | d767 |
      | ---: | :--- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
      | 1 | ␣a\\|b | -1.0000 | -0.9000 | -0.8000 | ... | 75.5000 | 75.6000 | 75.7000 |
      | 2 | \\\`&lt;b&gt;\\\\n\\* | nan | nan | nan | ... | nan | nan | nan |
      "
    `);
  });

  it('leaves out the middle of a long sequence with vectors', async () => {
    const cells = Array.from({ length: 50 }, (_, i) => [i, 'x']);
    const rows = cells.map(([i]) => [Number(i)]);
    const shown = (await rendered(renderer, reportOf(columns, [{ cells, rows }]))).trim().split('\n');
    expect(shown).toHaveLength(2 + 41);
    expect(shown[22]).toBe('| ... | ... | ... |');
    expect(shown[23]).toBe('| 30 | x | 30.0000 |');
  });

  it('writes records with fields down, and their tables below', async () => {
    const fields: Column[] = [
      { key: 'dim', kind: 'count' },
      { key: 'parameters', kind: 'count' },
      { key: 'parts', kind: 'table' },
    ];
    const parts = {
      columns: [
        { key: 'part', kind: 'text' },
        { key: 'bar', kind: 'bar' },
      ] satisfies Column[],
      rows: [
        ['a', 1],
        ['b', 4],
      ],
    };
    const one = reportOf(fields, [{ cells: [[768, 38400000, parts]] }], { layout: 'records' });
    expect(await rendered(renderer, one)).toMatchInlineSnapshot(`
      "| field | value |
      | :--- | :--- |
      | dim | 768 |
      | parameters | 38,400,000 (38.4M) |

      **parts**

      | part | bar |
      | :--- | :--- |
      | a | █████ |
      | b | ████████████████████ |
      "
    `);
    const two = [
      [768, 38400000, null],
      [1600, null, null],
    ];
    expect(
      await rendered(renderer, reportOf(fields.slice(0, 2), [{ cells: two }], { layout: 'records' })),
    ).toMatchInlineSnapshot(`
      "| field | 1 | 2 |
      | :--- | ---: | ---: |
      | dim | 768 | 1,600 |
      | parameters | 38,400,000 (38.4M) | - |
      "
    `);
  });

  it('gives every row the same number of cells, whatever stands in them', async () => {
    const text = fc.string({ unit: fc.constantFrom('|', '\\', '`', '\n', ' ', 'a', '<', '&', '\u2028') });
    await fc.assert(
      fc.asyncProperty(text, text, async (a, b) => {
        const report = reportOf(
          [
            { key: 'a', kind: 'text' },
            { key: 'b', kind: 'text' },
          ],
          [{ cells: [[a, b]] }],
        );
        const shown = (await rendered(renderer, report)).trimEnd().split('\n');
        expect(shown).toHaveLength(3);
        // Pipes that no backslash takes away, as GFM's row scanner counts them.
        expect(shown[2].replace(/\\./g, '').match(/\|/g)).toHaveLength(3);
        expect(shown[2]).not.toMatch(/[<>]/);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it('makes no link of text', () => {
    expect(escapeMarkdown('http://x.y www.x.y [a](b)')).toBe('http:\\/\\/x.y www\\.x.y \\[a\\](b)');
  });
});

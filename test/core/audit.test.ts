import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type Audit, type AuditInput, auditModel } from '../../src/core/audit.ts';
import { type IndicatorName, indicatorNames } from '../../src/core/audit-indicators.ts';
import { auditTokens, tokenKinds } from '../../src/core/audit-kinds.ts';
import { deviationsOf, lowValues } from '../../src/core/audit-outliers.ts';
import { findTwins } from '../../src/core/audit-rows.ts';
import { openModel } from '../../src/model/open.ts';
import type { Tokenizer } from '../../src/types.ts';
import { tableOfRows } from '../support/table.ts';

interface Expected {
  kinds: string;
  unused: number[];
  planted: number[];
  zero: number;
  nan: number;
  duplicate: [number, number];
  low: Record<IndicatorName, { candidateBound: number; median: number; deviation: number; bound: number }>;
  indicators: Record<IndicatorName, (number | null)[]>;
}

const folder = 'fixtures/audit';
const expected = JSON.parse(gunzipSync(readFileSync(`${folder}/expected.json.gz`)).toString()) as Expected;

async function auditOf(more: Partial<AuditInput> & { tied?: boolean } = {}): Promise<Audit> {
  const { tied, ...input } = more;
  const model = await openModel(folder);
  const output = await model.table('output');
  const given = { tokenizer: await model.tokenizer(), input: tied ? output : await model.table(), output };
  const audit = await auditModel({ ...given, ...input });
  await model.close();
  return audit;
}

/** Ids that a fault is found in. */
function idsWith(audit: Audit, fault: string): number[] {
  const ids = Array.from({ length: audit.ids }, (_, id) => id);
  return ids.filter((id) => (audit.faultsOf(id) as string[]).includes(fault));
}

/** A tokenizer that gives one id for each of these texts and its highest id for all others. */
function tokenizerOf(texts: (string | undefined)[], size = texts.length): Tokenizer {
  return {
    kind: 'test',
    name: 'texts',
    vocabSize: size,
    encodeIds(text, into) {
      const id = texts.indexOf(text);
      into.ids[into.length++] = id < 0 ? size - 1 : id;
    },
    encode: () => [],
    decodeBytes: () => new Uint8Array(),
    tokenOf: (id) => texts[id],
    bytesOf: (id) => (texts[id] === undefined ? undefined : new TextEncoder().encode(texts[id])),
    idOf: (token) => texts.indexOf(token),
    isSpecial: () => false,
    suggest: () => [],
    explains: 'pieces',
    explain: () => [],
  };
}

describe('the audit of a model with planted faults', () => {
  test('tells what each token is as encoding it again does', async () => {
    const audit = await auditOf();
    const kinds = Array.from({ length: audit.tokens!.kinds.length }, (_, id) => audit.kindOf(id));
    expect(kinds.join(' ')).toBe(expected.kinds);
    expect(audit.kindOf(kinds.length)).toBeNull();
  });

  test('finds zero, NaN, duplicate and padding rows, all and only', async () => {
    const audit = await auditOf();
    expect(idsWith(audit, 'zero')).toEqual([expected.zero]);
    expect(idsWith(audit, 'nan')).toEqual([expected.nan]);
    expect(idsWith(audit, 'duplicate')).toEqual([expected.duplicate[0]].sort());
    expect(audit.twins![expected.duplicate[0]]).toBe(expected.duplicate[1]);
    const first = audit.tokens!.kinds.length;
    expect(idsWith(audit, 'padding')).toEqual(Array.from({ length: audit.ids - first }, (_, i) => first + i));
    expect(idsWith(audit, 'no-row')).toEqual([]);
  });

  test('knows the rows that nothing can have trained', async () => {
    expect((await auditOf()).reference?.ids).toEqual(expected.unused);
  });

  test.each(indicatorNames)('%s is what NumPy and scikit-learn make of the formula', async (indicator) => {
    const { values } = await auditOf({ indicator });
    const reference = expected.indicators[indicator];
    expect(values).toHaveLength(reference.length);
    for (const [id, value] of reference.entries()) {
      if (value === null) expect(values![id]).toBeNaN();
      else expect(Math.abs(values![id] - value)).toBeLessThan(2e-6);
    }
  });

  test.each(indicatorNames)('%s finds the planted rows, all and only', async (indicator) => {
    const audit = await auditOf({ indicator });
    const low = expected.low[indicator];
    for (const key of ['candidateBound', 'median', 'deviation', 'bound'] as const)
      expect(audit.low![key]).toBeCloseTo(low[key], 5);
    const known = new Set(expected.unused);
    expect(idsWith(audit, 'under-trained').filter((id) => !known.has(id))).toEqual(expected.planted);
    for (const id of expected.unused) expect(audit.faultsOf(id)).toContain('under-trained');
  });

  test('the lowest values are exact to float64', async () => {
    const { values } = await auditOf({ indicator: 'output-l2' });
    const rough = expected.indicators['output-l2'];
    for (const id of expected.planted) expect(Math.abs(values![id] - rough[id]!)).toBeLessThan(6e-8);
  });

  test('takes the cosine distance where the tables are tied, the norm where not', async () => {
    expect((await auditOf()).indicator).toBe('input-norm');
    const tied = await auditOf({ tied: true });
    expect(tied.indicator).toBe('output-cosine');
    expect(idsWith(tied, 'nan')).toEqual([]);
    const known = new Set(expected.unused);
    expect(idsWith(tied, 'under-trained').filter((id) => !known.has(id))).toEqual(expected.planted);
  });

  test('a threshold replaces the bound, named rows the derived ones', async () => {
    const audit = await auditOf({ threshold: 0.01 });
    expect(audit.low!.bound).toBe(0.01);
    expect(idsWith(audit, 'under-trained')).toEqual([]);
    const named = await auditOf({ indicator: 'output-cosine', unused: [7, 3, 7] });
    expect(named.reference!.ids).toEqual([3, 7]);
    await expect(auditOf({ unused: [297] })).rejects.toThrow('--unused 297 is no row of lm_head.weight');
  });

  test('without a table there are kinds only', async () => {
    const audit = await auditOf({ input: undefined, output: undefined });
    expect(audit.kindOf(0)).toBe('special');
    expect([audit.values, audit.faultsOf(0)]).toEqual([undefined, []]);
  });
});

describe('the audit of odd vocabularies', () => {
  test('names ids without an entry and ids without a row', async () => {
    const tokenizer = tokenizerOf(['alpha', undefined, 'beta', 'gamma', 'delta']);
    const audit = await auditModel({ tokenizer, input: tableOfRows([[1], [2], [3]]) });
    expect(audit.ids).toBe(5);
    expect(audit.kindOf(1)).toBe('unassigned');
    expect([3, 4].map((id) => audit.faultsOf(id))).toEqual([['no-row'], ['no-row']]);
  });

  test('a token is reached behind a character where a space is put before every text', async () => {
    const model = await openModel('fixtures/tokenizers/roberta/tokenizer.json');
    const tokenizer = await model.tokenizer();
    const { tokens } = await auditModel({ tokenizer });
    const id = tokenizer.idOf('he')!;
    const sink = { ids: new Uint32Array(8), length: 0 };
    tokenizer.encodeIds('he', sink, { template: false });
    expect(Array.from(sink.ids.subarray(0, sink.length))).not.toEqual([id]);
    expect([tokens!.reached[id], tokens!.reencoder.idsOf('he')]).toEqual([1, [id]]);
    await model.close();
  });

  test('knows names that are kept for later', async () => {
    const reserved = [
      '<|reserved_123|>',
      '<|reserved_special_token_5|>',
      '<unused1>',
      '[unused99]',
      '<extra_id_7>',
      '<|extra_12|>',
      '<SPECIAL_20>',
      '<reserved_106>',
      '<|dummy_85|>',
      '[UNUSED_TOKEN_3]',
      '<｜place▁holder▁no▁1｜>',
      'madeupword0002',
      '<madeupword3>',
      '[control_8]',
      '<|special_token_9|>',
    ];
    const ordinary = ['<unused>', '<s>', 'unused1', '<|im_start|>', '[PAD]', 'extra1', '<b>unused1</b>'];
    const tokenizer = tokenizerOf([...reserved, ...ordinary]);
    const audit = await auditModel({ tokenizer });
    const kinds = Array.from({ length: audit.ids }, (_, id) => audit.kindOf(id));
    expect(kinds.slice(0, reserved.length)).toEqual(reserved.map(() => 'reserved'));
    expect(kinds.slice(reserved.length)).not.toContain('reserved');
    // T5 trains its sentinels.
    expect(audit.tokens!.unused.has(reserved.indexOf('<extra_id_7>'))).toBe(false);
    expect(audit.tokens!.unused.get(0)).toBe('reserved name');
  });

  test('refuses a vocabulary that no table justifies', async () => {
    const tokenizer = tokenizerOf(['a'], 2 ** 32);
    await expect(auditModel({ tokenizer, input: tableOfRows([[1]]) })).rejects.toThrow(
      'has 4,294,967,296 ids, expected at most 2,097,152',
    );
  });

  test('an indicator that needs what the model lacks is refused', async () => {
    const input = tableOfRows([[1], [2]]);
    await expect(auditModel({ input, indicator: 'output-l2' })).rejects.toThrow('no output embedding');
    await expect(auditModel({ input, output: input, indicator: 'output-l2' })).rejects.toThrow(
      'no row is known to be unused',
    );
    expect((await auditModel({ input, output: input })).indicator).toBe('input-norm');
  });

  test('of very many padding rows some are averaged', async () => {
    const rows = Array.from({ length: 9001 }, (_, i) => [1 + (i % 7), 2]);
    const input = tableOfRows(rows);
    const audit = await auditModel({ tokenizer: tokenizerOf(['alpha']), input, output: input });
    expect(audit.reference!.ids).toHaveLength(4096);
    expect(audit.reference!.ids[0]).toBe(1);
    expect(audit.reference!.ids[4095]).toBeGreaterThan(8990);
  });

  test('pieces of a GGUF vocabulary of BERT that go on with a word are not tried alone', async () => {
    const model = await openModel('fixtures/gguf/vocab/bert.gguf');
    const tokenizer = await model.tokenizer();
    const { kinds, untested } = auditTokens(tokenizer);
    const kindOf = (id: number) => tokenKinds[kinds[id]!];
    const ids = Array.from({ length: tokenizer.vocabSize }, (_, id) => id);
    const goingOn = ids.filter(
      (id) => ['plain', 'unreachable'].includes(kindOf(id)!) && !tokenizer.tokenOf(id)!.startsWith('▁'),
    );
    expect(goingOn.length).toBeGreaterThan(100);
    expect(untested).toBe(goingOn.length);
    expect(ids.filter((id) => kindOf(id) === 'unreachable')).toEqual([]);
    await model.close();
  });

  test('twins are found among more rows of one square than are read at a time', async () => {
    const [count, dim] = [300, 4096];
    // Row r has a 1 at place r: equal squares, no two alike, but for the copies.
    const rows = Array.from({ length: count }, (_, row) => row);
    [rows[130], rows[200], rows[299]] = [2, 129, 2];
    const table = tableOfRows(
      rows.map((place) => Array.from({ length: dim }, (_, i) => Number(i === place))),
    );
    const twins = await findTwins(table, new Float64Array(count).fill(1));
    const found = [...twins].flatMap((first, row) => (first < 0 ? [] : [[row, first]]));
    expect(found).toEqual([
      [130, 2],
      [200, 129],
      [299, 2],
    ]);
  });

  test('rows of one square that are not one row are no duplicates', async () => {
    const audit = await auditModel({
      input: tableOfRows([
        [3, 4],
        [4, 3],
        [-3, 4],
        [4, 3],
        [0, 0],
        [0, 0],
        [4, 3],
        [0, 5],
        [-0, 5],
      ]),
    });
    expect(Array.from(audit.twins!)).toEqual([-1, -1, -1, 1, -1, -1, 1, -1, 7]);
  });
});

describe('low values', () => {
  test('of values that do not differ there is no bound', () => {
    expect(lowValues(Float64Array.of(2, 2, 2))).toEqual({
      candidateBound: 2,
      bound: null,
      median: 2,
      deviation: 0,
    });
    expect(lowValues(Float64Array.of(Number.NaN)).candidateBound).toBeNull();
  });

  test('deviations are those of logarithms', () => {
    const low = lowValues(Float64Array.of(1, Math.E, Math.E ** 2));
    expect(low.median).toBeCloseTo(Math.E, 12);
    expect(deviationsOf(1, low)).toBeCloseTo(-1 / 1.4826, 12);
    expect(deviationsOf(0, low)).toBeNull();
  });
});

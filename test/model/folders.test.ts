import { describe, expect, test } from 'vitest';
import { openModel } from '../../src/model/open.ts';
import type { Layer } from '../../src/types.ts';
import { bitsOf, fixture, readJson, unpack } from '../formats/tables.ts';

type Tables = Partial<Record<Layer, { shape: number[]; values: string }>>;
const { models } = readJson<{ models: Record<string, Tables> }>(fixture('model/expected.json'));
const layers: Layer[] = ['input', 'output', 'position', 'type'];
const cases = Object.entries(models).flatMap(([name, tables]) =>
  layers.flatMap((layer) => (tables[layer] ? [[name, layer, tables[layer]] as const] : [])),
);

describe('the embedding modules that transformers saved', () => {
  test.each(cases)('%s: %s embedding', async (name, layer, expected) => {
    const model = await openModel(fixture(`model/${name}`));
    const table = await model.table(layer);
    expect([table.rows, table.dim]).toEqual(expected.shape);
    const all = await table.gather(Uint32Array.from({ length: table.rows }, (_, id) => id));
    expect(all.shape).toEqual(expected.shape);
    expect(bitsOf(all.data as Float32Array)).toEqual(bitsOf(unpack(expected.values)));
    await model.close();
  });

  test('roles say which tensor and why', async () => {
    const model = await openModel(fixture('model/bert-tiny'));
    expect(await model.roles()).toEqual([
      {
        layer: 'input',
        tensor: 'bert.embeddings.word_embeddings.weight',
        reason: 'named as in bert, roberta, xlm-roberta, albert',
      },
      {
        layer: 'output',
        tensor: 'bert.embeddings.word_embeddings.weight',
        reason: 'the config says tied: the input table is used',
      },
      {
        layer: 'position',
        tensor: 'bert.embeddings.position_embeddings.weight',
        reason: 'named as in bert, roberta, albert, distilbert',
      },
      {
        layer: 'type',
        tensor: 'bert.embeddings.token_type_embeddings.weight',
        reason: 'named as in bert, roberta, albert, electra',
      },
    ]);
    await model.close();
  });

  test('tied or not is told by bytes where both tensors are there', async () => {
    const tied = async (name: string) => {
      const model = await openModel(fixture(`model/${name}`));
      const result = await model.tied?.();
      await model.close();
      return result;
    };
    expect(await tied('llama-tied')).toMatchObject({ tied: true });
    expect(await tied('llama-untied')).toEqual({
      tied: false,
      reason: 'lm_head.weight differs from model.embed_tokens.weight',
    });
    expect(await tied('llama-sharded')).toMatchObject({ tied: false });
    expect(await tied('model2vec-tiny')).toBeNull();
  });

  test('an id outside the table names itself and the row count', async () => {
    const model = await openModel(fixture('model/gpt2-tiny'));
    const table = await model.table();
    await expect(table.gather(Uint32Array.of(0, 264))).rejects.toMatchObject({
      code: 'range',
      message: '"id" is 264, expected at most 263: transformer.wte.weight has 264 rows',
    });
    await model.close();
  });
});

describe('layouts', () => {
  const layoutOf = async (name: string) => {
    const model = await openModel(fixture(`model/${name}`));
    const layout = await model.layout();
    await model.close();
    return layout;
  };

  test.each([
    [
      'gpt2-tiny',
      {
        architecture: 'gpt2',
        dim: 8,
        vocab: 264,
        positions: { kind: 'learned', offset: 0, max: 16 },
        scale: null,
      },
    ],
    [
      'bert-tiny',
      { dim: 8, vocab: 40, positions: { kind: 'learned', offset: 0, max: 12 }, types: 2, paddingId: 0 },
    ],
    ['roberta-tiny', { positions: { kind: 'learned', offset: 2, max: 18 }, paddingId: 1, types: 1 }],
    ['opt-tiny', { positions: { kind: 'learned', offset: 2, max: 16 }, dim: 8 }],
    [
      'bart-tiny',
      { positions: { kind: 'learned', offset: 2, max: 16 }, scale: { factor: Math.sqrt(8), rounded: false } },
    ],
    ['t5-tiny', { positions: { kind: 'relative' }, scale: null, dim: 8 }],
    ['llama-tied', { positions: { kind: 'rotary' }, tied: true, scale: null }],
    ['llama-untied', { tied: false }],
    [
      'model2vec-tiny',
      { architecture: 'model2vec', dim: 4, vocab: null, tied: null, positions: { kind: 'unknown' } },
    ],
  ])('%s', async (name, expected) => {
    expect(await layoutOf(name)).toMatchObject(expected);
  });

  test('Gemma’s scale, rounded to the weights’ dtype, gives what its embedding module gives', async () => {
    const model = await openModel(fixture('model/gemma-tiny'));
    const scale = (await model.layout())?.scale;
    expect(scale).toMatchObject({ rounded: true, factor: Math.sqrt(8) });
    const rows = await (await model.table()).gather(Uint32Array.of(0, 1, 2, 3));
    // sqrt(8) in bfloat16 is 2.828125; the product is bfloat16 again.
    const rounded = toBfloat16(scale?.factor ?? 0);
    expect(rounded).toBe(2.828125);
    const scaled = Float32Array.from(rows.data as Float32Array, (value) =>
      toBfloat16(Math.fround(value * rounded)),
    );
    const gemma = models['gemma-tiny'] as unknown as { scaled: string };
    expect(bitsOf(scaled)).toEqual(bitsOf(unpack(gemma.scaled)));
    await model.close();
  });
});

/** To nearest, ties to even. */
function toBfloat16(value: number): number {
  const float = Float32Array.of(value);
  const bits = new Uint32Array(float.buffer);
  bits[0] = (bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) & 0xffff0000;
  return float[0];
}

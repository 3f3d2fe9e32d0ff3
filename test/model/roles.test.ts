import { describe, expect, test } from 'vitest';
import { readLayout } from '../../src/model/layouts.ts';
import { candidatesFor } from '../../src/model/roles.ts';
import { fixture, readJson } from '../formats/tables.ts';

interface Entry {
  model_type: string;
  input: string;
  output: string | null;
  tied: string[];
  tables: Record<string, [number, number]>;
}

const { classes } = readJson<{ classes: Record<string, Entry> }>(fixture('model/embedding-names.json'));
/** The head is the decoder's table, beside which the file has the same values as output_projection. */
const otherName: Record<string, string> = {
  FSMTForConditionalGeneration: 'model.decoder.output_projection.weight',
  FSMTModel: 'decoder.output_projection.weight',
};

const find = async (entry: Entry, layer: 'input' | 'output' | 'position' | 'type') => {
  const names = Object.keys(entry.tables);
  const input = layer === 'input' ? undefined : entry.input;
  const found = await candidatesFor(layer, names, async (name) => entry.tables[name], input);
  return found.map(({ name }) => name);
};

describe('names of 140 families of transformers', () => {
  test('the fixture has them', () => {
    expect(new Set(Object.values(classes).map(({ model_type }) => model_type)).size).toBeGreaterThanOrEqual(
      140,
    );
  });

  test('the input table of every class is the one that get_input_embeddings names, or is tied to it', async () => {
    const wrong: unknown[] = [];
    for (const [name, entry] of Object.entries(classes)) {
      const found = await find(entry, 'input');
      const fits = found.length === 1 && (found[0] === entry.input || entry.tied.includes(found[0]));
      if (!fits) wrong.push([name, entry.input, found]);
    }
    expect(wrong).toEqual([]);
  });

  test('the output table of every class is the one that get_output_embeddings names', async () => {
    const wrong: unknown[] = [];
    for (const [name, entry] of Object.entries(classes)) {
      if (entry.output === null || entry.output === entry.input) continue;
      const found = await find(entry, 'output');
      if (found.length !== 1 || found[0] !== (otherName[name] ?? entry.output)) {
        wrong.push([name, entry.output, found]);
      }
    }
    expect(wrong).toEqual([]);
  });

  test.each([
    [
      'bert.embeddings.word_embeddings.weight',
      'bert.embeddings.position_embeddings.weight',
      'entity_embeddings.position_embeddings.weight',
    ],
    ['wte.weight', 'wpe.weight', 'h.0.wpe.weight'],
    [
      'model.decoder.embed_tokens.weight',
      'model.decoder.embed_positions.weight',
      'model.encoder.embed_positions.weight',
    ],
    ['model.shared.weight', 'model.encoder.embed_positions.weight', 'model.decoder.embed_positions.weight'],
    [
      'text_model.embeddings.token_embedding.weight',
      'text_model.embeddings.position_embedding.weight',
      'vision_model.embeddings.position_embedding.weight',
    ],
  ])('the position table stands beside the input table %s', async (input, position, other) => {
    const found = await candidatesFor('position', [other, input, position], async () => [10, 4], input);
    expect(found.map(({ name }) => name)).toEqual([position]);
  });
});

describe('names that cannot be told apart', () => {
  const shapes = (names: string[]) => async (name: string) => (names.includes(name) ? [10, 4] : undefined);

  test('are all given', async () => {
    const names = ['tower_a.embed_tokens.weight', 'tower_b.embed_tokens.weight'];
    expect((await candidatesFor('input', names, shapes(names))).map(({ name }) => name)).toEqual(names);
  });

  test('layers, towers of pictures and classifiers’ heads are none', async () => {
    const names = ['layers.3.embed_tokens.weight', 'vision_model.embeddings.word_embeddings.weight'];
    expect(await candidatesFor('input', names, shapes(names))).toEqual([]);
    const shapeOf = async (name: string) => (name === 'head.weight' ? [2, 4] : [10, 4]);
    expect(
      await candidatesFor('output', ['embed_tokens.weight', 'head.weight'], shapeOf, 'embed_tokens.weight'),
    ).toEqual([]);
  });
});

describe('configs are never trusted', async () => {
  test('values of the wrong kind are unknown', async () => {
    const config = {
      model_type: 5,
      vocab_size: -1,
      hidden_size: '768',
      n_positions: 1.5,
      tie_word_embeddings: 'yes',
      pad_token_id: null,
    };
    expect(readLayout(config)).toEqual({
      architecture: null,
      dim: null,
      vocab: null,
      positions: { kind: 'unknown', offset: 0, max: null },
      types: null,
      tied: null,
      paddingId: null,
      scale: null,
    });
    expect(readLayout(JSON.parse('{"__proto__": {"vocab_size": 3}, "text_config": []}'))).toMatchObject({
      vocab: null,
    });
  });

  test('keys of other families and of nested parts are read', async () => {
    expect(
      readLayout({
        model_type: 'paligemma',
        text_config: { model_type: 'gemma', hidden_size: 16, vocab_size: 9 },
      }),
    ).toMatchObject({
      dim: 16,
      vocab: 9,
      scale: { factor: 4, rounded: true },
    });
    expect(readLayout({ model_type: 'albert', hidden_size: 768, embedding_size: 128 })).toMatchObject({
      dim: 128,
    });
    expect(readLayout({ model_type: 'granite', embedding_multiplier: 12 })).toMatchObject({
      scale: { factor: 12, rounded: false },
    });
    expect(readLayout({ model_type: 'pegasus', d_model: 4 })).toMatchObject({
      positions: { kind: 'sinusoidal', form: 'halves' },
    });
    expect(readLayout({ model_type: 'falcon', alibi: true })).toMatchObject({ positions: { kind: 'alibi' } });
  });
});

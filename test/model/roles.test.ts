import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readLayout } from '../../src/model/layouts.ts';
import { candidatesFor } from '../../src/model/roles.ts';
import type { Layer } from '../../src/types.ts';
import { fixture } from '../formats/tables.ts';

interface Entry {
  model_type: string;
  input: string;
  output: string | null;
  position: string[];
  type: string[];
  tied: string[];
  tables: Record<string, [number, number]>;
}

const { classes, families, gguf } = JSON.parse(
  gunzipSync(readFileSync(fixture('model/embedding-names.json.gz'))).toString('utf8'),
) as { classes: Record<string, Entry>; families: string[]; gguf: Record<string, string[]> };

/** The head is the decoder's table, beside which the file has the same values as output_projection. */
const otherName: Record<string, string> = {
  FSMTForConditionalGeneration: 'model.decoder.output_projection.weight',
  FSMTModel: 'decoder.output_projection.weight',
};

/** Classes that have a head and no get_output_embeddings. */
const headWithoutName: Record<string, string> = {
  BlipForConditionalGeneration: 'text_decoder.cls.predictions.decoder.weight',
  BlipForQuestionAnswering: 'text_decoder.cls.predictions.decoder.weight',
  LxmertForPreTraining: 'cls.predictions.decoder.weight',
  NemotronH_Omni_Reasoning_V3: 'language_model.lm_head.weight',
};

const find = async (entry: Entry, layer: Layer) => {
  const names = Object.keys(entry.tables);
  const input = layer === 'input' ? undefined : entry.input;
  const found = await candidatesFor(layer, names, async (name) => entry.tables[name], input);
  return found.map(({ name }) => name);
};

/** Classes for which the tensors that are found are not those that fit. */
async function misfits(layer: Layer, fits: (found: string[], entry: Entry, name: string) => boolean) {
  const wrong: unknown[] = [];
  for (const [name, entry] of Object.entries(classes)) {
    const found = await find(entry, layer);
    if (!fits(found, entry, name)) wrong.push([name, entry[layer], found]);
  }
  return wrong;
}

describe('names of 350 families of transformers', () => {
  test('the fixture has them', () => {
    expect(families.length).toBeGreaterThanOrEqual(350);
    expect(Object.keys(classes).length).toBeGreaterThanOrEqual(380);
  });

  test('the input table of every class is the one that get_input_embeddings names, or is tied to it', async () => {
    const fits = ([one, ...others]: string[], { input, tied }: Entry) =>
      others.length === 0 && one !== undefined && (one === input || tied.includes(one));
    expect(await misfits('input', fits)).toEqual([]);
  });

  test('the output table of every class is the one that get_output_embeddings names, and a class without has none', async () => {
    const fits = (found: string[], { input, output }: Entry, name: string) => {
      if (output === input) return true;
      const wanted = otherName[name] ?? output ?? headWithoutName[name];
      return String(found) === (wanted ?? '');
    };
    expect(await misfits('output', fits)).toEqual([]);
  });

  test.each(['position', 'type'] as const)(
    'the %s tables of every class stand beside its input table',
    async (layer) => {
      expect(await misfits(layer, (found, entry) => String(found) === String(entry[layer]))).toEqual([]);
    },
  );

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

describe('names of other writers', () => {
  /** Tables of vocoders and of models that predict no tokens: no names for a list. */
  const skipped = new Set(['head.out.weight', 'encoder.weight']);

  test.each([
    ['input', 'token_embd'],
    ['output', 'output'],
    ['position', 'position_embd'],
    ['type', 'token_types'],
  ] as const)('%s: every name that gguf-py knows is found', async (layer, key) => {
    const missing: string[] = [];
    for (const name of [key, ...gguf[key]]
      .map((each) => `${each}.weight`)
      .filter((each) => !skipped.has(each))) {
      const names = ['decoder.layers.3.fc1.weight', name];
      const found = await candidatesFor(layer, names, async () => [10, 4], undefined);
      if (String(found.map((each) => each.name)) !== name) missing.push(name);
    }
    expect(missing).toEqual([]);
  });

  test.each<[string, Partial<Record<Layer, string>>, string[]]>([
    ['Meta', { input: 'tok_embeddings.weight', output: 'output.weight' }, ['layers.0.attention.wq.weight']],
    ['RWKV', { input: 'emb.weight', output: 'head.weight' }, ['blocks.0.att.key.weight']],
    ['mamba', { input: 'backbone.embedding.weight', output: 'lm_head.weight' }, []],
    ['DeepSeek', { input: 'embed.weight', output: 'head.weight' }, ['layers.0.attn.wq.weight']],
    [
      'torch.compile and DDP',
      {
        input: 'module._orig_mod.transformer.wte.weight',
        position: 'module._orig_mod.transformer.wpe.weight',
      },
      [],
    ],
    [
      'fairseq',
      {
        input: 'encoder.sentence_encoder.embed_tokens.weight',
        position: 'encoder.sentence_encoder.embed_positions.weight',
        output: 'encoder.lm_head.weight',
      },
      [],
    ],
    [
      'fairseq seq2seq',
      {
        input: 'encoder.embed_tokens.weight',
        position: 'encoder.embed_positions.weight',
        output: 'decoder.output_projection.weight',
      },
      ['decoder.embed_tokens.weight', 'decoder.embed_positions.weight'],
    ],
    [
      'Whisper as OpenAI wrote it',
      { input: 'decoder.token_embedding.weight', position: 'decoder.positional_embedding' },
      ['encoder.positional_embedding'],
    ],
    [
      'CLIP as OpenAI wrote it',
      { input: 'token_embedding.weight', position: 'positional_embedding' },
      ['visual.positional_embedding', 'text_projection'],
    ],
    [
      'Flax',
      { input: 'params/transformer/wte/embedding', position: 'params/transformer/wpe/embedding' },
      ['params/lm_head/kernel'],
    ],
    [
      'Flax BERT',
      {
        input: 'bert.embeddings.word_embeddings.embedding',
        position: 'bert.embeddings.position_embeddings.embedding',
        type: 'bert.embeddings.token_type_embeddings.embedding',
      },
      [],
    ],
    ['T5 in JAX', { input: 'shared/embedding' }, ['lm_head/kernel']],
    ['T5X', { input: 'target/token_embedder/embedding' }, ['target/decoder/logits_dense/kernel']],
    [
      'Keras',
      { input: 'token_embedding/embeddings:0', position: 'position_embedding/embeddings:0' },
      ['dense/kernel:0'],
    ],
    [
      'TensorFlow BERT',
      {
        input: 'bert/embeddings/word_embeddings',
        position: 'bert/embeddings/position_embeddings',
        type: 'bert/embeddings/token_type_embeddings',
      },
      ['cls/seq_relationship/output_weights'],
    ],
    [
      'TensorFlow in transformers',
      {
        input: 'tf_bert_model/bert/embeddings/word_embeddings/weight:0',
        position: 'tf_bert_model/bert/embeddings/position_embeddings/embeddings:0',
      },
      [],
    ],
    ['TensorFlow GPT-2', { input: 'model/wte', position: 'model/wpe' }, []],
    [
      'allennlp',
      { input: '_text_field_embedder.token_embedder_tokens.weight' },
      ['_encoder._module.weight_ih_l0'],
    ],
    [
      'OpenNMT',
      { input: 'encoder.embeddings.make_embedding.emb_luts.0.weight', output: 'generator.0.weight' },
      ['decoder.embeddings.make_embedding.emb_luts.0.weight'],
    ],
    ['Marian', { input: 'encoder_Wemb' }, ['decoder_Wemb', 'decoder_ff_logit_out_W']],
    ['TransformerLens', { input: 'embed.W_E', position: 'pos_embed.W_pos' }, ['unembed.W_U']],
    [
      'x-transformers',
      { input: 'token_emb.emb.weight', position: 'pos_emb.emb.weight', output: 'to_logits.weight' },
      [],
    ],
    ['sentence-transformers', { input: 'emb_layer.weight' }, []],
    [
      'PEFT',
      { input: 'base_model.model.model.embed_tokens.base_layer.weight' },
      ['base_model.model.model.embed_tokens.lora_embedding_A.default'],
    ],
    ['fastai', { input: '0.encoder.weight', output: '1.decoder.weight' }, ['0.rnns.0.module.weight_ih_l0']],
    [
      'ONNX by torch',
      { input: 'transformer.wte.weight', position: 'transformer.wpe.weight' },
      ['onnx::MatMul_1234'],
    ],
  ])('%s', async (_, roles, others) => {
    const names = [...others, ...Object.values(roles)];
    for (const layer of ['input', 'output', 'position', 'type'] as const) {
      const found = await candidatesFor(
        layer,
        names,
        async () => [10, 4],
        layer === 'input' ? undefined : roles.input,
      );
      expect(found.map(({ name }) => name)).toEqual(roles[layer] === undefined ? [] : [roles[layer]]);
    }
  });

  test('a vocabulary in several tables is listed', async () => {
    const names = [0, 1, 2].map((part) => `transformer.word_emb.emb_layers.${part}.weight`);
    const found = await candidatesFor('input', names, async () => [10, 4]);
    expect(found.map(({ name }) => name)).toEqual(names);
  });

  test('positions that turn vectors, narrower than these, are no embeddings', async () => {
    const shapes: Record<string, number[]> = {
      'roformer.embeddings.word_embeddings.weight': [10, 8],
      'roformer.encoder.embed_positions.weight': [10, 4],
    };
    const [input] = Object.keys(shapes);
    expect(await candidatesFor('position', Object.keys(shapes), async (name) => shapes[name], input)).toEqual(
      [],
    );
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

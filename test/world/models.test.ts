import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openModel } from '../../src/model/open.ts';
import { openTokenizer } from '../../src/model/tokenizer-ref.ts';
import { hasWorld, world } from './manifest.ts';

const idsOf = async (ref: string, texts: readonly string[]) => {
  const tokenizer = await openTokenizer(ref, () => {}, {});
  return texts.map((text) => {
    const sink = { ids: new Uint32Array(64), length: 0 };
    tokenizer.encodeIds(text, sink, { template: false });
    return [...sink.ids.subarray(0, sink.length)];
  });
};

describe.skipIf(!hasWorld)('models of the world, opened as users open them', () => {
  test('shards of a PyTorch model hold what the whole file holds', async () => {
    const folder = join(world, 'joaopauloschuler+neural-api');
    const sharded = await openModel(join(folder, 'tiny_gpt2.bin.index.json'));
    const whole = await openModel(join(folder, 'tiny_gpt2.bin'));
    const names = (tensors: { name: string }[]) => tensors.map(({ name }) => name).sort();
    expect(names((await sharded.contents()).tensors)).toEqual(names((await whole.contents()).tensors));
    for (const layer of ['input', 'position'] as const) {
      const [one, other] = [await sharded.table(layer), await whole.table(layer)];
      const ids = Uint32Array.from({ length: one.rows }, (_, row) => row);
      expect((await one.gather(ids)).data).toEqual((await other.gather(ids)).data);
    }
    await sharded.close();
    await whole.close();
  });

  test('a model2vec folder brings its table, its tokenizer and a note about its config', async () => {
    const notes: string[] = [];
    const folder = join(world, 'MinishLab+model2vec-rs', 'test-model-float32');
    const model = await openModel(folder, { note: (line) => notes.push(line) });
    const table = await model.table();
    expect([table.tensorName, table.rows, table.dim]).toEqual(['embeddings', 29_528, 2]);
    expect((await model.tokenizer()).vocabSize).toBeLessThanOrEqual(table.rows);
    expect(notes).toEqual(['config: normalize is for the mean of a text, rows are as they are stored']);
    await model.close();
  });

  test.each([
    ['gpt-2.txt', 'gpt2'],
    ['gpt-neox.txt', join(world, 'BlinkDL+ChatRWKV', '20B_tokenizer.json')],
  ])('ids of ggml’s prompts in %s', async (file, ref) => {
    const lines = readFileSync(join(world, 'ggml-org+ggml', 'examples', 'prompts', file), 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    const cases = lines.map((line) => /^(.*) => ([\d,]+)$/.exec(line));
    expect(cases.length).toBe(100);
    expect(
      await idsOf(
        ref,
        cases.map((found) => found?.[1] ?? ''),
      ),
    ).toEqual(cases.map((found) => found?.[2].split(',').map(Number)));
  });

  test('tokens that swift-transformers expects of gpt2', async () => {
    const path = join(world, 'huggingface+swift-transformers', 'Resources', 'gpt2_encoded_tokens.json');
    const { text, token_ids } = JSON.parse(readFileSync(path, 'utf8')) as {
      text: string;
      token_ids: number[];
    };
    expect(await idsOf('gpt2', [text])).toEqual([token_ids]);
  });

  const resources = join(world, 'huggingface+swift-transformers', 'Resources');
  const read = <T>(name: string) => JSON.parse(readFileSync(join(resources, name), 'utf8')) as T;
  const bert = join(world, 'pytorch+text', 'bert_base_uncased_vocab.txt');
  const t5 = join(world, 'pytorch+text', 't5_tokenizer_base.model');
  const gpt2 = join(world, 'pykeio+ort', 'gpt2', 'tokenizer.json');

  test('tokens that swift-transformers expects of BERT and T5', async () => {
    const ofBert = read<{ text: string; token_ids: number[] }>('bert_uncased_encoded.json');
    // The file has the template's [CLS] and [SEP] around the text.
    expect(await idsOf(bert, [ofBert.text])).toEqual([ofBert.token_ids.slice(1, -1)]);
    const ofT5 = read<{ text: string; token_ids: number[] }>('t5_base_encoded.json');
    // ... and </s> behind it.
    expect(await idsOf(t5, [ofT5.text])).toEqual([ofT5.token_ids.slice(0, -1)]);
    expect(ofT5.token_ids.at(-1)).toBe(1);
  });

  test.each([
    ['bert-base-uncased', bert, true],
    ['google-bert/bert-base-uncased', bert, true],
    ['distilgpt2', gpt2, false],
  ])('the cases of swift-transformers for %s', async (name, ref, wraps) => {
    type Case = { input: string; encoded: { input_ids: number[] } };
    const cases = read<Record<string, Case[]>>('tokenizer_tests.json')[name];
    expect(cases.length).toBe(18);
    const found = await idsOf(
      ref,
      cases.map(({ input }) => input),
    );
    expect(found).toEqual(
      cases.map(({ encoded: { input_ids } }) => (wraps ? input_ids.slice(1, -1) : input_ids)),
    );
  });

  test('configs beside tokenizers that Hugging Face’s library refuses break nothing', async () => {
    for (const folder of [resources, join(world, 'microsoft+onnxruntime-extensions', 'added-tokens')]) {
      const opening = openTokenizer(join(folder, 'tokenizer.json'), () => {}, {});
      await opening.catch((error: Error) => expect(error).toMatchObject({ name: 'EmbError' }));
    }
  });
});

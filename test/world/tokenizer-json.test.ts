import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openTokenizerJsonWith } from '../../src/tokenizers/tokenizer-json.ts';
import * as more from '../../src/tokenizers/tokenizer-json-more.ts';
import { compileRegex } from '../../src/tokenizers/tokenizer-json-pattern.ts';
import type { Tokenizer } from '../../src/types.ts';
import { hasWorld, world } from './manifest.ts';

interface Oracle {
  model: string | null;
  vocab_size_with_added: number;
  encode_no_special: { text: string; ids: number[]; tokens: string[] }[];
  with_special_hello: number[];
  error?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: answers of several shapes
function readJson(path: string): any {
  return JSON.parse(readFileSync(join(world, path), 'utf8'));
}

function open(path: string): Tokenizer {
  return openTokenizerJsonWith({ name: path, bytes: readFileSync(join(world, path)) }, more);
}

describe.skipIf(!hasWorld)('tokenizer.json files of the world', () => {
  const oracles: Record<string, Oracle> = hasWorld
    ? readJson('expected/oracle_tokenizer_json.json').files
    : {};
  const paths = Object.keys(oracles).filter((path) => oracles[path].encode_no_special !== undefined);

  test.each(paths)('%s gives the ids and tokens of Hugging Face', (path) => {
    const oracle = oracles[path];
    const tokenizer = open(path);
    expect(tokenizer.vocabSize).toBe(oracle.vocab_size_with_added);
    for (const { ids, tokens } of oracle.encode_no_special) {
      ids.forEach((id, i) => {
        // Hugging Face gives the text itself for what a Unigram model does not know.
        if (tokenizer.tokenOf(id) !== '<unk>') expect(tokenizer.tokenOf(id)).toBe(tokens[i]);
      });
    }
    for (const { text, ids, tokens } of oracle.encode_no_special) {
      const encoded = tokenizer.encode(text, { template: false });
      expect([text, encoded.map((token) => token.id)]).toEqual([text, ids]);
      encoded.forEach((token, i) => {
        if (token.text !== '<unk>') expect([text, token.text]).toEqual([text, tokens[i]]);
      });
    }
    expect(tokenizer.encode('Hello world').map((token) => token.id)).toEqual(oracle.with_special_hello);
  });

  test('that Hugging Face refuses are refused for what is wrong with them', () => {
    // Hugging Face stops at its added tokens, which lack flags; emb reads those as false, and stops at merges of unknown tokens.
    expect(() => open('huggingface+swift-transformers/Resources/tokenizer.json')).toThrow(
      expect.objectContaining({ code: 'corrupt', message: expect.stringContaining('"off" in merge 0') }),
    );
    // An object where the merges should be.
    expect(() => open('microsoft+onnxruntime-extensions/added-tokens/tokenizer.json')).toThrow(
      expect.objectContaining({ code: 'corrupt', message: expect.stringContaining("expected '['") }),
    );
  });

  test('of neural-api give the ids that its cases list', () => {
    const cases: Record<
      string,
      { tokenizer: string; cases: { text: string; ids: number[]; decoded: string }[] }
    > = readJson('joaopauloschuler+neural-api/hf_tokenizer_cases.json');
    let checked = 0;
    for (const group of Object.values(cases)) {
      const path = `joaopauloschuler+neural-api/${group.tokenizer}`;
      if (!path.endsWith('.json')) continue;
      const tokenizer = open(path);
      for (const { text, ids } of group.cases) {
        expect([path, text, tokenizer.encode(text).map((token) => token.id)]).toEqual([path, text, ids]);
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(150);
  });

  test.each([
    ['pykeio+ort/gpt2/tokenizer.json', ['Xenova/gpt2', 'openai-community/gpt2']],
    ['microsoft+onnxruntime-extensions/t5-small/tokenizer.json', ['Xenova/t5-small', 'google-t5/t5-small']],
    [
      'pykeio+ort/minilm/tokenizer.json',
      ['Xenova/bert-base-uncased', 'Xenova/distilbert-base-uncased-finetuned-sst-2-english'],
    ],
  ])('%s gives the ids that tokenizers.js lists', (path, models) => {
    const tokenizer = open(path);
    const upstream: Record<
      string,
      Record<string, { cases: Record<string, { text: string; ids: number[]; text_pair?: string }> }>
    > = readJson('expected/upstream_tokenizersjs.json');
    let checked = 0;
    for (const model of models) {
      for (const { text, ids, text_pair: pair } of Object.values(upstream.models[model].cases)) {
        if (pair !== undefined) continue;
        expect([text, tokenizer.encode(text).map((token) => token.id)]).toEqual([text, ids]);
        if (path.includes('gpt2')) expect(new TextDecoder().decode(tokenizer.decodeBytes(ids))).toBe(text);
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(30);
  });
});

describe.skipIf(!hasWorld)('patterns of pre-tokenizers on the hub', () => {
  interface Pattern {
    id: string;
    pattern: string;
    inputs?: string[];
  }
  const folder = 'huggingface+tokenizers.js';
  const patterns: { defaults: { inputs: string[] }; patterns: Pattern[] } = hasWorld
    ? readJson(`${folder}/splitRegexPatterns.json`)
    : { defaults: { inputs: [] }, patterns: [] };
  const answers: Record<string, string[][]> = hasWorld
    ? JSON.parse(gunzipSync(readFileSync(join(world, folder, 'splitRegexOracle.json.gz'))).toString('utf8'))
        .tokens
    : {};

  test('find what Oniguruma finds, every one', () => {
    let compared = 0;
    for (const { id, pattern, inputs = patterns.defaults.inputs } of patterns.patterns) {
      const compiled = compileRegex(id, 'pattern', pattern);
      inputs.forEach((text, i) => {
        const bounds = compiled.find(text);
        const found: string[] = [];
        for (let at = 0; at < bounds.length; at += 2) {
          if (bounds[at] < bounds[at + 1]) found.push(text.slice(bounds[at], bounds[at + 1]));
        }
        const answer = answers[id]?.[i];
        if (answer === undefined) return;
        expect([pattern, text, found]).toEqual([pattern, text, answer]);
        compared++;
      });
    }
    expect(compared).toBeGreaterThan(2000);
  });
});

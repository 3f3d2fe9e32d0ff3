import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createIdSink } from '../../src/tokenizers/id-sink.ts';
import { openSentencePiece } from '../../src/tokenizers/sentencepiece-tokenizer.ts';
import { noSettings } from '../../src/tokenizers/vocab-settings.ts';
import type { Tokenizer } from '../../src/types.ts';
import { checkExplained } from '../tokenizers/explained.ts';
import { seededRandom } from '../tokenizers/fuzz-text.ts';
import { pieceText } from '../tokenizers/piece-text.ts';
import { hasWorld, oracle, world } from './manifest.ts';
import { upstreamCases } from './upstream-cases.ts';

interface Oracle {
  model_type: string;
  size: number;
  unk: number;
  encode: { text: string; ids: number[]; pieces: string[]; decode?: string }[];
}

const open = (path: string) => openSentencePiece(path, readFileSync(join(world, path)));

describe.skipIf(!hasWorld)('SentencePiece models of the world', () => {
  const oracles = oracle<Oracle>('oracle_sentencepiece.json');

  test.each(Object.keys(oracles))('%s gives the ids and pieces of sentencepiece', (path) => {
    const { model_type, size, unk, encode } = oracles[path];
    const tokenizer = open(path);
    expect(tokenizer.kind).toBe(`sentencepiece ${model_type.toLowerCase()}`);
    expect([tokenizer.vocabSize, tokenizer.unknownId]).toEqual([size, unk]);
    for (const { text, ids, pieces } of encode) {
      const tokens = tokenizer.encode(text);
      expect([text, tokens.map(({ id }) => id)]).toEqual([text, ids]);
      // sentencepiece writes the text itself for what is unknown.
      tokens.forEach((token, i) => {
        if (token.id !== unk) expect([text, token.text]).toEqual([text, pieces[i]]);
      });
    }
    checkExplained(
      tokenizer,
      encode.map(({ text }) => text).filter((text) => text.length < 200),
    );
  });

  test.each(Object.keys(oracles))('%s gives the same ids chunk by chunk as over whole texts', (path) => {
    const bytes = readFileSync(join(world, path));
    const [exact, fast] = [Number.POSITIVE_INFINITY, 0].map((after) =>
      openSentencePiece(path, bytes, undefined, { after }),
    ) as [Tokenizer, Tokenizer];
    const idsOf = (tokenizer: Tokenizer, text: string) => {
      const sink = createIdSink(1);
      tokenizer.encodeIds(text, sink);
      return Array.from(sink.ids.subarray(0, sink.length));
    };
    for (const { text, ids } of oracles[path]?.encode ?? []) expect(idsOf(fast, text)).toEqual(ids);
    const random = seededRandom(path.length);
    for (let i = 0; i < 2000; i++) {
      const text = pieceText(random);
      expect([text, idsOf(fast, text)]).toEqual([text, idsOf(exact, text)]);
    }
  });

  test.each(upstreamCases(/t5-small/))(
    'as T5Tokenizer: $model: $name gives the ids of tokenizers.js',
    (one) => {
      const path = 'pytorch+text/t5_tokenizer_base.model';
      const settings = { ...noSettings, tokenizer: { tokenizer_class: 'T5Tokenizer' } };
      const tokenizer = openSentencePiece(path, readFileSync(join(world, path)), settings);
      expect(tokenizer.encode(one.text).map(({ id }) => id)).toEqual(one.ids);
    },
  );

  test('the sample chat of Mistral has the ids that mistral-common lists', () => {
    const folder = join(world, 'mistralai+mistral-common', 'samples_no_tools');
    const { tokens } = JSON.parse(readFileSync(join(folder, 'tokens_v1.json'), 'utf8')) as {
      tokens: number[];
    };
    const text = readFileSync(join(folder, 'text_v1.txt'), 'utf8').trimEnd();
    const tokenizer = open('mistralai+mistral-common/tokenizer.model.v1');
    // Each turn is encoded on its own.
    const parts = text.replaceAll('▁', ' ').split(/(<\/?s>)|(?<=\[\/INST\]) /);
    const ids = parts.flatMap((part) => {
      if (part === undefined || part === '') return [];
      if (/^<\/?s>$/.test(part)) return [tokenizer.idOf(part)];
      return tokenizer.encode(part.trimStart()).map(({ id }) => id);
    });
    expect(ids).toEqual(tokens);
  });
});

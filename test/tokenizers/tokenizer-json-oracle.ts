import { Tokenizer as HuggingFace } from 'tokenizers';
import { openTokenizerJsonWith } from '../../src/tokenizers/tokenizer-json.ts';
import * as more from '../../src/tokenizers/tokenizer-json-more.ts';
import type { Tokenizer } from '../../src/types.ts';

/** A file as JSON.parse has it, for tests that change some of it. */
// biome-ignore lint/suspicious/noExplicitAny: tests change any part of it
export type FileJson = any;

export function openBytes(file: FileJson | string | Uint8Array, config?: Record<string, unknown>): Tokenizer {
  const text = typeof file === 'string' || file instanceof Uint8Array ? file : JSON.stringify(file);
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  return openTokenizerJsonWith({ name: 'tokenizer.json', bytes, config }, more);
}

/** Ids and spans in code points, which is what Hugging Face counts: [ids, [start, end, start, end, ...]]. */
export type Answer = [ids: number[], spans: number[]];

export function ourAnswer(tokenizer: Tokenizer, text: string, template = true): Answer {
  const points = pointsOfUnits(text);
  const tokens = tokenizer.encode(text, { template });
  return [
    tokens.map((token) => token.id),
    tokens.flatMap((token) => [points[token.start], points[token.end]]),
  ];
}

export async function theirAnswer(oracle: HuggingFace, text: string, template = true): Promise<Answer> {
  const encoding = await oracle.encode(text, null, { addSpecialTokens: template });
  return [encoding.getIds(), encoding.getOffsets().flat()];
}

export function openOracle(file: FileJson): HuggingFace {
  return HuggingFace.fromString(JSON.stringify(file));
}

/** How many code points stand before each UTF-16 unit. */
export function pointsOfUnits(text: string): number[] {
  const points: number[] = [];
  let count = 0;
  for (const character of text) {
    for (let i = 0; i < character.length; i++) points.push(count);
    count++;
  }
  points.push(count);
  return points;
}

import { describe, expect, test } from 'vitest';
import { classOfToken, type TokenClass } from '../../src/core/token-class.ts';
import { openEncoding } from '../../src/tokenizers/tiktoken.ts';

const classOf = (text: string, beginsWord = false) =>
  classOfToken(new TextEncoder().encode(text), false, beginsWord);

describe('classes of tokens', () => {
  test.each<[string, TokenClass]>([
    ['a', 'byte'],
    [' ', 'byte'],
    ['  ', 'space'],
    ['\n\t', 'space'],
    ['\u00a0', 'space'],
    [' world', 'word'],
    ['world', 'subword'],
    [' naïve', 'word'],
    ['नमस्ते', 'subword'],
    [" don't", 'word'],
    ['123', 'number'],
    [' 7²', 'number'],
    [' ->', 'symbol'],
    ['😀', 'symbol'],
    ['\u200b', 'control'],
    [' a\u001b[', 'control'],
    ['x86', 'mixed'],
    ["'s", 'mixed'],
  ])('%j is %s', (text, expected) => {
    expect(classOf(text)).toBe(expected);
  });

  test('a piece that begins a word without a space is a word', () => {
    expect(classOf('world', true)).toBe('word');
  });

  test('half a character is partial, one byte of it a byte, a special token special', () => {
    expect(classOfToken(Uint8Array.of(0xf0, 0x9f), false, false)).toBe('partial');
    expect(classOfToken(Uint8Array.of(0xf0), false, false)).toBe('byte');
    expect(classOfToken(Uint8Array.of(0x41), true, false)).toBe('special');
  });

  test('GPT-2 has the 256 bytes and the 216 parts of characters that magikarp counts', async () => {
    const tokenizer = await openEncoding('gpt2');
    const counts: Partial<Record<TokenClass, number>> = {};
    for (let id = 0; id < tokenizer.vocabSize; id++) {
      const kind = classOfToken(tokenizer.bytesOf(id) as Uint8Array, tokenizer.isSpecial(id), false);
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    expect(counts).toMatchObject({ byte: 256, partial: 216, special: 1 });
  });
});

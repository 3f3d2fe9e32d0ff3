import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { showText } from '../../src/text/escape.ts';
import { displayWidth, padLeft, padRight, truncate } from '../../src/text/width.ts';

describe('displayWidth', () => {
  it('counts letters as one, CJK and emoji as two, marks as none', () => {
    expect(displayWidth('Hello')).toBe(5);
    expect(displayWidth('世界')).toBe(4);
    expect(displayWidth('🙂')).toBe(2);
    expect(displayWidth('e\u0301')).toBe(1);
    expect(displayWidth('␣größe…')).toBe(7);
    expect(displayWidth('')).toBe(0);
  });

  it('does not count color sequences', () => {
    expect(displayWidth('\u001b[31mred\u001b[39m')).toBe(3);
  });
});

describe('truncate', () => {
  it('cuts with an ellipsis in the last column', () => {
    expect(truncate('Hello', 5)).toBe('Hello');
    expect(truncate('Hello!', 5)).toBe('Hell…');
    expect(truncate('世界人', 4)).toBe('世…');
    expect(truncate('abc', 1)).toBe('…');
    expect(truncate('abc', 0)).toBe('');
  });

  it('never takes more columns than it is given, and all of a text that fits', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 20 }), (text, width) => {
        const shown = showText(text);
        const cut = truncate(shown, width);
        expect(displayWidth(cut)).toBeLessThanOrEqual(width);
        if (displayWidth(shown) <= width) expect(cut).toBe(shown);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });

  it('pads a cut text to exactly the width', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 20 }), (text, width) => {
        const cut = truncate(showText(text), width);
        expect(displayWidth(padRight(cut, width))).toBe(width);
        expect(displayWidth(padLeft(cut, width))).toBe(width);
      }),
      { numRuns: 50, seed: 1 },
    );
  });
});

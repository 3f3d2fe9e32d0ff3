import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeText, showBytes, showText } from '../../src/text/escape.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);
const utf8 = (text: string) => new TextEncoder().encode(text);

/** Written apart from escape.ts: ranges from UnicodeData, not properties of the engine. */
function drivesTerminal(code: number): boolean {
  return (
    code < 0x20 ||
    (code >= 0x7f && code <= 0x9f) ||
    code === 0xad ||
    code === 0x061c ||
    code === 0x180e ||
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2060 && code <= 0x206f) ||
    code === 0x3164 ||
    (code >= 0xd800 && code <= 0xdfff) ||
    (code >= 0xe000 && code <= 0xf8ff) ||
    (code >= 0xfe00 && code <= 0xfe0f) ||
    code === 0xfeff ||
    (code >= 0xfff9 && code <= 0xfffb) ||
    (code & 0xfffe) === 0xfffe ||
    (code >= 0x1d173 && code <= 0x1d17a) ||
    (code >= 0xe0000 && code <= 0xe0fff) ||
    code >= 0xf0000
  );
}
const dangerous = (text: string) =>
  Array.from(text).filter((c) => drivesTerminal(c.codePointAt(0) as number));

describe('showText', () => {
  it('shows ordinary text of any script as it is', () => {
    for (const text of ['Hello', 'a b', 'größe', '世界', '한국', 'שלום', '🙂', 'x\\y', 'C:\\dir', '�']) {
      expect(showText(text)).toBe(text);
    }
  });

  it('shows each leading space, and only those', () => {
    expect(showText('  a b ')).toBe('␣␣a b ');
    expect(showText(' ')).toBe('␣');
    expect(escapeText('  a')).toBe('  a');
  });

  it.each([
    ['\n', '\\n'],
    ['\r\n\t', '\\r\\n\\t'],
    ['\u001b[31mred', '\\x1b[31mred'],
    ['\u0000', '\\x00'],
    ['\u007f\u0085\u009b', '\\x7f\\x85\\x9b'],
    ['a\u202eb\u2066c\u2069', 'a\\u202eb\\u2066c\\u2069'],
    ['\u200b\u200d\ufeff', '\\u200b\\u200d\\ufeff'],
    ['\u2028\u2029', '\\u2028\\u2029'],
    ['\u{e0041}', '\\u{e0041}'],
    ['\ue000', '\\ue000'],
    ['\ud800', '\\ud800'],
    ['\u00a0\u3000', '\\xa0\\u3000'],
    ['\u00ad', '\\xad'],
    ['❤\ufe0f', '❤\\ufe0f'],
  ])('escapes %j', (text, shown) => {
    expect(showText(text)).toBe(shown);
  });

  it('tells a backslash and n from a newline', () => {
    expect(showText('\\n')).toBe('\\\\n');
    expect(showText('\n')).toBe('\\n');
    expect(showText('\\')).toBe('\\');
    expect(showText('\\\n')).toBe('\\\\\\n');
  });

  it('gives a combining mark that stands alone something to stand on', () => {
    expect(showText('\u0301')).toBe('◌\u0301');
    expect(showText('e\u0301')).toBe('e\u0301');
  });

  it('escapes marks that pile up', () => {
    expect(showText(`e${'\u0301'.repeat(9)}`)).toBe(`e${'\u0301'.repeat(8)}\\u0301`);
  });

  it('never lets a code point through that drives the terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(dangerous(showText(text))).toEqual([]);
      }),
      { numRuns: 500, seed: 1 },
    );
    for (let code = 0; code <= 0x10ffff; code++) {
      if (drivesTerminal(code) && dangerous(showText(`a${String.fromCodePoint(code)}b`)).length > 0) {
        expect.fail(`U+${code.toString(16)} is let through`);
      }
    }
  });

  it('shows two texts alike only when they are alike, but for marked spaces and bases', () => {
    const unit = fc.constantFrom('\\', 'n', 'x', '1', 'b', '\n', '\u001b', '\u202e', 'u', '2', '0', 'e', ' ');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 8 }), fc.string({ unit, maxLength: 8 }), (a, b) => {
        expect(showText(a) === showText(b)).toBe(a === b);
      }),
      { numRuns: 2000, seed: 1 },
    );
  });
});

describe('text that is passed through unread', () => {
  it('is what the escapes would leave alone', () => {
    // The backslash sends the text through the escapes; it stands where it is not escaped itself.
    for (let code = 0x20; code <= 0xffff; code++) {
      const character = String.fromCharCode(code);
      if (code === 0x5c) continue;
      expect(`${escapeText(`a${character}`)}\\ `).toBe(escapeText(`a${character}\\ `));
    }
  });
});

describe('showBytes', () => {
  it('shows valid UTF-8 as text', () => {
    expect(showBytes(utf8(' world'))).toBe('␣world');
    expect(showBytes(utf8('世'))).toBe('世');
    expect(showBytes(bytes())).toBe('');
    expect(showBytes(utf8('\ufeffa'))).toBe('\\ufeffa');
  });

  it('shows invalid bytes by number', () => {
    expect(showBytes(bytes(0xe4))).toBe('<0xE4>');
    expect(showBytes(bytes(0xe4, 0xb8))).toBe('<0xE4><0xB8>');
    expect(showBytes(bytes(0x20, 0xff, 0x20, 0x61))).toBe('␣<0xFF> a');
    expect(showBytes(bytes(0xc0, 0x80))).toBe('<0xC0><0x80>');
    expect(showBytes(bytes(0xed, 0xa0, 0x80))).toBe('<0xED><0xA0><0x80>');
    expect(showBytes(bytes(0xf4, 0x90, 0x80, 0x80))).toBe('<0xF4><0x90><0x80><0x80>');
    expect(showBytes(bytes(0xe4, 0x1b, 0x5b, 0x6d))).toBe('<0xE4>\\x1b[m');
  });

  it('never lets a code point through that drives the terminal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), (input) => {
        expect(dangerous(showBytes(input))).toEqual([]);
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  it('accepts exactly what the decoder accepts', () => {
    const fatal = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const edge = fc.constantFrom(
      0x61,
      0x80,
      0x8f,
      0x90,
      0x9f,
      0xa0,
      0xbf,
      0xc1,
      0xc2,
      0xe0,
      0xed,
      0xef,
      0xf0,
      0xf4,
      0xf5,
    );
    fc.assert(
      fc.property(fc.array(edge, { maxLength: 6 }), (values) => {
        const input = Uint8Array.from([...values, 0xff]);
        const shown = showBytes(input);
        let valid = true;
        try {
          fatal.decode(Uint8Array.from(values));
        } catch {
          valid = false;
        }
        expect(shown.match(/<0x/g)?.length === 1).toBe(valid);
      }),
      { numRuns: 2000, seed: 1 },
    );
  });
});

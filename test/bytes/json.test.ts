import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson } from '../../src/bytes/json.ts';
import { JsonCursor } from '../../src/bytes/json-cursor.ts';

const text = (value: string) => Buffer.from(value);

describe('parseJson', () => {
  test('reads what Python writes: NaN, Infinity, a byte order mark', () => {
    const value = parseJson(
      text('\uFEFF{"a": [NaN, Infinity, -Infinity, 1], "NaN": "Infinity \\" NaN"}'),
      'x',
    );
    expect(value).toEqual({
      a: [null, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1],
      NaN: 'Infinity " NaN',
    });
  });

  test('refuses what is no JSON, and what is too deep, with one line', () => {
    for (const wrong of ['', '{', '{"a":}', 'Nan', '[1,]', '{"a":1}}', 'nul']) {
      expect(() => parseJson(text(wrong), 'config.json')).toThrow('config.json: is no valid JSON');
    }
    expect(() => parseJson(text('['.repeat(1_000_000)), 'x')).toThrow('nested deeper than 512');
    expect(parseJson(text(`${'['.repeat(512)}${']'.repeat(512)}`), 'x')).toBeDefined();
  });
});

describe('JsonCursor', () => {
  test('skips every JSON value to its end', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.boolean(), (value, spaced) => {
        const cursor = new JsonCursor(text(` ${JSON.stringify(value, null, spaced ? 2 : 0)} `), 'x');
        cursor.skip();
        cursor.end();
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test('reads every string as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const cursor = new JsonCursor(text(JSON.stringify(value)), 'x');
        expect(cursor.string()).toBe(value);
        cursor.end();
      }),
      { seed: 2, numRuns: 500 },
    );
  });

  test.each([
    ['[1}', 'brackets'],
    ['[1', 'a value is missing'],
    ['', 'a value is missing'],
    ['}', 'brackets'],
    ['"a', 'does not end'],
  ])('does not skip %j', (broken, message) => {
    expect(() => new JsonCursor(text(broken), 'x').skip()).toThrow(message);
  });

  test.each(['-1', '1.5', '1e3', '9007199254740992', '99999999999999999999', '', 'x'])(
    '%j is no count',
    (number) => {
      expect(() => new JsonCursor(text(number), 'x').integer()).toThrow(
        'x is no valid JSON at byte 0: a number is not whole',
      );
    },
  );
});

import { describe, expect, test } from 'vitest';
import { expressionText, parseExpression } from '../../src/core/expression.ts';
import { EmbError } from '../../src/errors.ts';

const read = (...args: string[]) =>
  parseExpression(args, (text) => text === ' king' || text === 'New York').map(({ weight, operand }) => [
    weight,
    'id' in operand ? operand.id : operand.word,
  ]);

describe('an expression', () => {
  test('is the same as one argument and as many', () => {
    const expected = [
      [1, 'king'],
      [-1, 'man'],
      [1, 'woman'],
    ];
    expect(read('king', '-', 'man', '+', 'woman')).toEqual(expected);
    expect(read('king - man + woman')).toEqual(expected);
    expect(read('king - man', '+', 'woman')).toEqual(expected);
  });

  test('has weights, before tokens and parentheses, which are multiplied out', () => {
    expect(read('0.5*king', '-', '2 * (man - 3*woman)')).toEqual([
      [0.5, 'king'],
      [-2, 'man'],
      [6, 'woman'],
    ]);
    expect(read('2', '*', '2', '+', '(', '-', 'a', ')')).toEqual([
      [2, '2'],
      [-1, 'a'],
    ]);
    expect(read('-2e-1*king - .5*(a + (b - (c)))')).toEqual([
      [-0.2, 'king'],
      [-0.5, 'a'],
      [-0.5, 'b'],
      [0.5, 'c'],
    ]);
  });

  test('takes an argument that is a piece as it is, quotes, ids, and words with signs inside', () => {
    expect(read(' king', '-', 'New York')).toEqual([
      [1, ' king'],
      [-1, 'New York'],
    ]);
    expect(read(`"New York" - 'a (b)' + "-" + #12 + "#12" + e-mail + don't + -man`)).toEqual([
      [1, 'New York'],
      [-1, 'a (b)'],
      [1, '-'],
      [1, 12],
      [1, '#12'],
      [1, 'e-mail'],
      [1, "don't"],
      [1, '-man'],
    ]);
  });

  test.each([
    [[], 'the expression ends at its start, expected a token'],
    [['king', '-'], 'ends after "-"'],
    [['king', 'man'], '"man" stands after "king", expected + or -'],
    [['king', '+', '+', 'man'], '"+" stands after "+"'],
    [['(king'], '1 "(" of the expression are not closed'],
    [['king)'], '")" stands after "king"'],
    [['"king'], 'is not closed'],
    [['1e999*king'], 'expected a finite number'],
    [['1e200*(1e200*king)'], 'expected a finite number'],
    [['()'], '")" stands after "("'],
  ])('%j is refused with what is wrong', (args, message) => {
    expect(() => read(...args)).toThrow(EmbError);
    expect(() => read(...args)).toThrow(message);
  });

  test('of 100,000 parentheses is read without recursion', () => {
    const deep = 100_000;
    expect(read(`${'('.repeat(deep)}a${')'.repeat(deep)}`)).toEqual([[1, 'a']]);
  });

  test('is shown as it was understood', () => {
    expect(expressionText(parseExpression(['-0.5*(a - #3) + b'], () => false))).toBe('- 0.5*a + 0.5*#3 + b');
  });
});

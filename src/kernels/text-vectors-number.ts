/**
 * A number as Python's float() takes it, digits with underscores excepted; undefined for anything else.
 *
 * Number() rounds correctly, as float() does, but takes texts that are no decimals.
 */
export function readNumber(field: string): number | undefined {
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(field)) return Number(field);
  const [, sign, word] = /^([+-]?)(inf|infinity|nan)$/i.exec(field) ?? [];
  if (word === undefined) return undefined;
  if (word[0] === 'n' || word[0] === 'N') return Number.NaN;
  return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

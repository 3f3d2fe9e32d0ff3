import type { IdSpace } from '../command.ts';
import { EmbError } from '../errors.ts';
import { formatCount } from '../text/numbers.ts';

const highestId = 2 ** 32 - 1;

/** Most ids that one sequence may spell out: 4 bytes each, a quarter of a GiB. */
const mostIds = 2 ** 26;

/**
 * Ids as users write them: commas, spaces, ranges `0-99`, `all`.
 *
 * Shape: → [n] ids.
 * @throws EmbError "usage" for what is no id (negative, fractional, a word), naming it; "range" for a range that runs backwards
 *   or is longer than the table
 */
export function parseIds(text: string, rows: number, of: IdSpace = 'table'): Uint32Array {
  const parts = text.split(/[\s,]+/).filter((part) => part !== '');
  const ranges = parts.map((part) => parseRange(part, rows, of));
  const total = ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  if (total > mostIds) {
    throw new EmbError(
      'range',
      `${formatCount(total)} ids in one sequence, expected at most ${formatCount(mostIds)}`,
    );
  }
  const ids = new Uint32Array(total);
  let at = 0;
  for (const [first, last] of ranges) for (let id = first; id <= last; id++) ids[at++] = id;
  return ids;
}

function parseRange(part: string, rows: number, of: IdSpace): [number, number] {
  if (part === 'all') return [0, rows - 1];
  const range = /^(\d+)-(\d+)$/.exec(part);
  if (range) {
    const [first, last] = [parseId(range[1]!, rows, of), parseId(range[2]!, rows, of)];
    if (first > last) throw new EmbError('usage', `the range ${part} runs backwards`, `${last}-${first}`);
    return [first, last];
  }
  const id = parseId(part, rows, of);
  return [id, id];
}

function parseId(part: string, rows: number, of: IdSpace): number {
  if (!/^\d+$/.test(part)) {
    const hint = 'ids are whole numbers from 0: 1,23,456 or 0-99 or all; a token by its name is --token';
    throw new EmbError('usage', `"${part}" is no id`, hint);
  }
  const id = Number(part);
  if (id > highestId || id >= rows) {
    throw new EmbError(
      'range',
      `id ${part} is outside the ${of} of ${formatCount(rows)} ${of === 'table' ? 'rows' : 'ids'}`,
      `the highest id is ${rows - 1}`,
    );
  }
  return id;
}

import type { IdInput, TextInput } from '../command.ts';

/** Tokens of one text, as `tokenize -f jsonl` writes them: an object per token, those of a text with one `row`. */
interface TokenGroup {
  row: number;
  text: string | null;
  ids: number[];
}

type Skip = (line: number, message: string) => void;

/** What a line stands for that is no token; undefined where it lacks what is asked for. */
type WholeOf = (value: unknown, row: number) => TextInput | undefined;

/**
 * Texts of JSON lines: a string, or an object with the text under `field`. Objects of tokens are put together to their texts.
 *
 * The number of a text is that of its line from 0, so that what is passed over leaves a gap; token objects bring theirs.
 * @param skip says which line (from 1) is passed over, and why
 */
export function readJsonTexts(
  records: AsyncIterable<string>,
  field: string,
  skip: Skip,
): AsyncGenerator<TextInput> {
  const wholeOf: WholeOf = (value, row) => {
    const text = textOf(value, field);
    return text === undefined ? undefined : { row, text, line: row + 1 };
  };
  return readRecords(records, field, skip, wholeOf, `has no text "${field}"`);
}

/** Ids of JSON lines: a list, an object with one under `field`, or objects of tokens, as for {@link readJsonTexts}. Ids from `rows` on are none. */
export async function* readJsonIds(
  records: AsyncIterable<string>,
  field: string,
  rows: number,
  skip: Skip,
): AsyncGenerator<IdInput> {
  const isRow = (id: unknown) => Number.isInteger(id) && (id as number) >= 0 && (id as number) < rows;
  const wholeOf: WholeOf = (value, row) => {
    const ids = Array.isArray(value) ? value : (value as Record<string, unknown> | null)?.[field];
    return Array.isArray(ids) && ids.every(isRow)
      ? { row, text: null, ids: Uint32Array.from(ids) }
      : undefined;
  };
  const lacking = `has no list "${field}" of ids below ${rows}, and is no token of such an id`;
  for await (const { row, ids } of readRecords(records, field, skip, wholeOf, lacking, rows)) {
    if (ids !== undefined) yield { row, ids };
  }
}

async function* readRecords(
  records: AsyncIterable<string>,
  field: string,
  skip: Skip,
  wholeOf: WholeOf,
  lacking: string,
  rows = 2 ** 32,
): AsyncGenerator<TextInput> {
  let line = 0;
  let group: TokenGroup | undefined;
  const ended = (tokens: TokenGroup): TextInput => ({ ...tokens, ids: Uint32Array.from(tokens.ids) });
  for await (const raw of records) {
    // A byte order mark is no part of JSON.
    const record = line++ === 0 ? raw.replace(/^\ufeff/, '') : raw;
    if (record.trim() === '') continue;
    const value = parse(record);
    if (value === undefined) {
      skip(line, 'is no JSON');
      continue;
    }
    const token = tokenOf(value, rows);
    if (token !== undefined) {
      if (group !== undefined && group.row !== token.row) {
        yield ended(group);
        group = undefined;
      }
      group ??= { row: token.row, text: textOf(value, field) ?? null, ids: [] };
      group.ids.push(token.id);
      continue;
    }
    if (group !== undefined) yield ended(group);
    group = undefined;
    const whole = wholeOf(value, line - 1);
    if (whole === undefined) skip(line, lacking);
    else yield whole;
  }
  if (group !== undefined) yield ended(group);
}

function parse(record: string): unknown {
  try {
    return JSON.parse(record);
  } catch {
    // The one error of JSON.parse: the caller says which line it was.
    return undefined;
  }
}

function textOf(value: unknown, field: string): string | undefined {
  const text = typeof value === 'string' ? value : (value as Record<string, unknown> | null)?.[field];
  return typeof text === 'string' ? text : undefined;
}

/** Row and id of an object that stands for one token, of an id below `rows`. */
function tokenOf(value: unknown, rows: number): { row: number; id: number } | undefined {
  const { row, index, id } = (value ?? {}) as Record<string, unknown>;
  const isCount = (number: unknown) => Number.isInteger(number) && (number as number) >= 0;
  if (!isCount(row) || !isCount(index) || !isCount(id) || (id as number) >= rows) return undefined;
  return { row: row as number, id: id as number };
}

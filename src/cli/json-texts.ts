import type { TextInput } from '../command.ts';

/** Tokens of one text, as `tokenize -f jsonl` writes them: an object per token, those of a text with one `row`. */
interface TokenGroup {
  row: number;
  text: string | null;
  ids: number[];
}

/**
 * Texts of JSON lines: a string, or an object with the text under `field`. Objects of tokens are put together to their texts.
 *
 * The number of a text is that of its line from 0, so that what is passed over leaves a gap; token objects bring theirs.
 * @param skip says which line (from 1) is passed over, and why
 */
export async function* readJsonTexts(
  records: AsyncIterable<string>,
  field: string,
  skip: (line: number, message: string) => void,
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
    const token = tokenOf(value);
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
    const text = textOf(value, field);
    if (text === undefined) skip(line, `has no text "${field}"`);
    else yield { row: line - 1, text };
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

/** Row and id of an object that stands for one token. */
function tokenOf(value: unknown): { row: number; id: number } | undefined {
  const { row, index, id } = (value ?? {}) as Record<string, unknown>;
  const isCount = (number: unknown) => Number.isInteger(number) && (number as number) >= 0;
  if (!isCount(row) || !isCount(index) || !isCount(id) || (id as number) > 0xffffffff) return undefined;
  return { row: row as number, id: id as number };
}

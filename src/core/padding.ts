/** Multiples that vocabularies are padded to: powers of 2 from a vector's width to a page. */
const multiples = [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];

/** What explains the rows beyond a vocabulary. */
export interface Padding {
  /** The largest power of 2 that does; null where none does. Where rows are a multiple of 128, 64 would do as well. */
  multiple: number | null;
  /** Whether rows is the first multiple that holds all ids, not a later one. */
  isNext: boolean;
}

/** Why a table has more rows than ids: the next multiple of a power of 2, else any multiple of one. */
export function explainPadding(ids: number, rows: number): Padding {
  const next = multiples.filter((multiple) => Math.ceil(ids / multiple) * multiple === rows).pop();
  if (next !== undefined) return { multiple: next, isNext: true };
  const any = multiples.filter((multiple) => rows % multiple === 0).pop();
  return { multiple: any ?? null, isNext: false };
}

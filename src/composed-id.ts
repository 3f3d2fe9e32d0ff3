/**
 * The first id of words that have no row: their vector is composed of parts (fastText). Such ids hold for one run and are never
 * printed; no vocabulary has so many tokens.
 */
export const firstComposedId = 2 ** 31;

/** The id as outputs have it: null for a word without a row. */
export function shownId(id: number): number | null {
  return id < firstComposedId ? id : null;
}

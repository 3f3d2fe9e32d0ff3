import fastStringWidth from 'fast-string-width';

/** What takes one column each: ASCII, …, the ␣ of a space, lines and blocks. fast-string-width makes patterns for anything else, which takes 2 ms. */
const printable = /^[\x20-\x7e\u2026\u2423\u2500-\u259f]*$/;

/**
 * Columns that text takes on a terminal: CJK and emoji two, combining marks none, color sequences none.
 *
 * For text that escape.ts has been over: fast-string-width counts a tab as 8 and U+200B as 1, and neither is left there.
 */
export function displayWidth(text: string): number {
  return printable.test(text) ? text.length : fastStringWidth(text);
}

/**
 * The start of a text that fits `width` columns, with … as its last column when something was cut off.
 *
 * Cost: O(width), however long the text. No color sequences in it: color after cutting.
 */
export function truncate(text: string, width: number): string {
  if (width < 1) return '';
  // A column holds at most a few code units (a letter and the marks that escape.ts leaves on it).
  if (text.length <= width * 24 && displayWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    used += displayWidth(character);
    if (used > width - 1) break;
    kept += character;
  }
  // A selector can make a narrow character wide only together with it.
  while (displayWidth(kept) > width - 1) kept = Array.from(kept).slice(0, -1).join('');
  return `${kept}…`;
}

/**
 * The start and the end of a text in `width` columns with … between them, where it does not fit: of dotted names both ends say something.
 *
 * As truncate does: no color sequences in it.
 */
export function truncateMiddle(text: string, width: number): string {
  if (width < 3 || displayWidth(text) <= width) return truncate(text, width);
  const characters = Array.from(text);
  let end = '';
  let used = 0;
  while (
    characters.length > 0 &&
    used + displayWidth(characters[characters.length - 1]) <= Math.floor(width / 2)
  ) {
    const last = characters.pop() as string;
    used += displayWidth(last);
    end = last + end;
  }
  return truncate(text, width - displayWidth(end)) + end;
}

/** Spaces after the text up to `width` columns; longer text as it is. */
export function padRight(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/** Spaces before the text up to `width` columns; longer text as it is. */
export function padLeft(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - displayWidth(text))) + text;
}

import { wrapWords } from '../text/wrap.ts';

/**
 * Paragraphs of help laid out anew for a width.
 *
 * A line of the source that ends in . or : ends a paragraph, any other goes on in the next one. Indented lines are lists: each
 * stands alone, and what does not fit goes on below its text.
 */
export function reflow(text: string, width: number): string {
  const paragraphs: string[] = [];
  let open = '';
  const close = () => {
    if (open !== '') paragraphs.push(...wrapWords(open, width));
    open = '';
  };
  for (const line of text.split('\n')) {
    const item = /^\s+(?:\S+\s{2,})?/.exec(line)?.[0];
    if (item !== undefined || line === '') {
      close();
      paragraphs.push(...(item === undefined ? [''] : hang(line, item.length, width)));
      continue;
    }
    open = open === '' ? line : `${open.trimEnd()} ${line}`;
    if (/[.:]$/.test(line)) close();
  }
  close();
  return paragraphs.join('\n');
}

/** An item of a list: its first `indent` columns, then its text beside them. */
function hang(line: string, indent: number, width: number): string[] {
  const room = Math.max(20, width - indent);
  return wrapWords(line.slice(indent), room).map(
    (part, index) => (index === 0 ? line.slice(0, indent) : ' '.repeat(indent)) + part,
  );
}

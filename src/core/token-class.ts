/** What kind of thing a token stands for. */
export type TokenClass = (typeof tokenClasses)[number];

/** Every class, in the order in which they are tried. */
export const tokenClasses = [
  'special',
  'byte',
  'partial',
  'control',
  'space',
  'number',
  'word',
  'subword',
  'symbol',
  'mixed',
] as const;

/** What --class takes, with what it means. */
export const classMeanings: Readonly<Record<TokenClass, string>> = {
  special: 'a token of the template or an added control token',
  byte: 'one byte, whatever it is',
  partial: 'several bytes that are no whole characters',
  control: 'holds a control or format character, or one that is not assigned',
  space: 'white space only',
  number: 'digits and other numbers',
  word: 'letters that begin a word',
  subword: 'letters that go on with a word, or begin a text',
  symbol: 'neither letters nor digits',
  mixed: 'several of these',
};

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The class of a token by its bytes.
 *
 * @param beginsWord the token begins a word though its bytes have no space before it (WordPiece without ##, word lists)
 */
export function classOfToken(bytes: Uint8Array, special: boolean, beginsWord: boolean): TokenClass {
  if (special) return 'special';
  if (bytes.length === 1) return 'byte';
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return 'partial';
  }
  if (/^\p{White_Space}+$/u.test(text)) return 'space';
  if (/(?!\p{White_Space})\p{C}/u.test(text)) return 'control';
  const body = text.replace(/^\p{White_Space}+/u, '');
  if (/^\p{N}+$/u.test(body)) return 'number';
  // Marks belong to their letters; an apostrophe or hyphen within does not break a word.
  if (/^[\p{L}\p{M}](?:['’-]?[\p{L}\p{M}])*$/u.test(body))
    return beginsWord || body !== text ? 'word' : 'subword';
  if (!/[\p{L}\p{N}]/u.test(body)) return 'symbol';
  return 'mixed';
}

/** Whether a piece begins a word though no space stands before it: in kinds that mark what goes on with one instead, or nothing at all. */
export function beginsWord(kind: string, piece: string): boolean {
  return kind === 'wordpiece' ? !piece.startsWith('##') : kind === 'words' || kind === 'wordlevel';
}

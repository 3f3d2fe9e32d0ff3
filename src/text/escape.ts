/**
 * Everything that can drive a terminal, reorder text, break a line or be seen as nothing: control characters (C0, DEL, C1), format
 * characters (bidi overrides and isolates, zero-width, BOM, tags), line separators, every space but U+0020, ignorables such as
 * variation selectors and fillers, private use, lone surrogates and noncharacters.
 */
const hidden = String.raw`(?! )[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Z}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]`;
/** A hidden code point, or a backslash that would otherwise read as the start of an escape. Made when first needed: it takes 1 ms. */
let escapable: RegExp | undefined;
/**
 * Text that is shown as it is; most tokens and captions are: ASCII but the backslash, Latin, dashes, quotes, bullets and ellipses,
 * arrows, the ␣ of a space, common Han. Only ranges without anything hidden and without marks.
 */
const harmless =
  /^[\x20-\x5b\x5d-\x7e\xa1-\xac\xae-\u02ff\u2010-\u2027\u2190-\u22ff\u2423\u3041-\u3096\u4e00-\u9fff\uac00-\ud7a3]*$/;
/** More marks than this on one letter are no script's spelling: they would pile up over the lines above and below. */
const stackedMarks = /(\p{M}{8})(\p{M}+)/gu;
const shortEscapes: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\\': '\\\\',
};

function escapeOne(character: string): string {
  const short = shortEscapes[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) as number;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
}

const escapeEach = (text: string): string => Array.from(text, escapeOne).join('');

/**
 * Text for a line of a caption or a message: nothing in it can drive the terminal, spaces stay spaces.
 *
 * The result holds no control, bidi, zero-width, line-breaking or private code point; those become `\n`, `\x1b`, `\u202e`,
 * `\u{e0041}`. A backslash is doubled only where it would read as such an escape, so that no two texts look alike.
 */
export function escapeText(text: string): string {
  if (harmless.test(text)) return text;
  escapable ??= new RegExp(String.raw`${hidden}|\\(?=[ntrux\\]|${hidden})`, 'gu');
  const escaped = text
    .replace(escapable, escapeOne)
    .replace(stackedMarks, (_, kept: string, rest: string) => kept + escapeEach(rest));
  // A mark with no letter before it would sit on whatever stands to the left of the text.
  return /^\p{M}/u.test(escaped) ? `\u25cc${escaped}` : escaped;
}

const markLeadingSpaces = (text: string): string =>
  text.replace(/^ +/, (spaces) => '␣'.repeat(spaces.length));

/** Text of a cell or a token: escapeText, and every leading space as ␣. */
export function showText(text: string): string {
  return escapeText(markLeadingSpaces(text));
}

/** Made when first needed: it takes 1 ms. */
let decoder: { decode(bytes: Uint8Array): string } | undefined;

function decodeUtf8(bytes: Uint8Array): string {
  decoder ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return decoder.decode(bytes);
}

/**
 * Length of the well-formed UTF-8 sequence at `at`, 0 when there is none.
 *
 * Source: The Unicode Standard, table 3-7 (well-formed UTF-8 byte sequences).
 */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at];
  if (first < 0x80) return 1;
  const length =
    first >= 0xc2 && first <= 0xdf
      ? 2
      : first >= 0xe0 && first <= 0xef
        ? 3
        : first >= 0xf0 && first <= 0xf4
          ? 4
          : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (bytes[at + 1] < lowest || bytes[at + 1] > highest) return 0;
  for (let i = at + 2; i < at + length; i++) if (bytes[i] < 0x80 || bytes[i] > 0xbf) return 0;
  return length;
}

/**
 * Bytes of a token as text: valid UTF-8 like showText, each other byte as `<0xE4>`, as vocabularies with byte fallback spell it.
 *
 * Cost: O(bytes).
 */
export function showBytes(bytes: Uint8Array): string {
  try {
    return showText(decodeUtf8(bytes));
  } catch {
    // Not all of it is UTF-8: show the runs that are, and the other bytes by number.
  }
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    if (at > start) parts.push(showRun(bytes.subarray(start, at), start === 0));
    parts.push(`<0x${bytes[at].toString(16).toUpperCase().padStart(2, '0')}>`);
    start = ++at;
  }
  if (start < bytes.length) parts.push(showRun(bytes.subarray(start), start === 0));
  return parts.join('');
}

function showRun(run: Uint8Array, leads: boolean): string {
  const text = decodeUtf8(run);
  return leads ? showText(text) : escapeText(text);
}

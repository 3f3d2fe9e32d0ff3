/** A repeatable stream of numbers in 0..1 (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const ranges: readonly (readonly [number, number])[] = [
  [0x20, 0x7e],
  [0x00, 0xff],
  [0x100, 0x24f],
  [0x250, 0x2ff],
  [0x300, 0x36f],
  [0x370, 0x3ff],
  [0x400, 0x52f],
  [0x530, 0x5ff],
  [0x600, 0x6ff],
  [0x900, 0x97f],
  [0xe00, 0xe7f],
  [0x10a0, 0x10ff],
  [0x13a0, 0x13ff],
  [0x1e00, 0x1fff],
  [0x2000, 0x206f],
  [0x2070, 0x20ff],
  [0x2100, 0x218f],
  [0x2460, 0x24ff],
  [0x2600, 0x27bf],
  [0x3000, 0x30ff],
  [0x4e00, 0x9fff],
  [0xac00, 0xd7a3],
  [0xd800, 0xdfff],
  [0xe000, 0xe0ff],
  [0xfb00, 0xfdff],
  [0xfe00, 0xfeff],
  [0xff00, 0xffff],
  [0x10400, 0x1044f],
  [0x1d400, 0x1d7ff],
  [0x1f1e6, 0x1f1ff],
  [0x1f300, 0x1faff],
  [0x20000, 0x2a6df],
  [0xe0100, 0xe01ef],
  [0, 0x10ffff],
];

const words = [
  'hello',
  'World',
  'HTTPServer',
  'iPhone',
  'the',
  'THE',
  'naïve',
  'straße',
  'ÉCOLE',
  'Привет',
  'ΣΊΣΥΦΟΣ',
  'ǅungla',
  'ʰʷªº',
  '你好',
  'こんにちは',
  'สวัสดี',
  'नमस्ते',
  'مرحبا',
  '한국어',
  '𝐀𝐛𝟙',
  '👩‍👩‍👧‍👦',
  '🇩🇪🏳️‍🌈',
  'e\u0301\u0300',
  'A\u0301B',
  '\u0301AB',
  '²½Ⅷ٣①',
  '12345',
  '0',
  '١٢٣٤',
  '<|endoftext|>',
  '\ufeffBOM',
  '\u0085',
  'ſ',
  '://',
  '/*!@#',
  '\ud83d',
  '\udc00x',
];
const spaces = [
  ' ',
  ' ',
  ' ',
  '  ',
  '\n',
  '\r\n',
  '\t',
  '\u00a0',
  '\u0085',
  '\u2028',
  '\u3000',
  '\ufeff',
  '\v',
  '\f',
];
const contractions = [
  "'s",
  "'S",
  "'t",
  "'RE",
  "'re",
  "'Ve",
  "'m",
  "'LL",
  "'lL",
  "'D",
  "'ſ",
  "'l",
  "'x",
  "'",
  '’s',
  "''s",
];

/** Text that pre-tokenizers stumble over: mixed scripts, cases, marks, digits, white space, contractions, broken UTF-16. */
export function fuzzText(random: () => number, longest = 40): string {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  const below = (n: number) => Math.floor(random() * n);
  const character = () => {
    const [low, high] = pick(ranges);
    return String.fromCodePoint(low + below(high - low + 1));
  };
  const count = 1 + below(longest);
  const favorite = character();
  let text = '';
  for (let i = 0; i < count; i++) {
    const kind = below(9);
    if (kind === 0) text += character();
    else if (kind === 1) text += favorite;
    else if (kind === 2) text += pick(words);
    else if (kind === 3) text += pick(words) + pick(contractions) + (below(2) ? pick(words) : '');
    else if (kind === 4) for (let n = below(4); n >= 0; n--) text += pick(spaces);
    else if (kind === 5) text += String(below(10 ** below(8)));
    else if (kind === 6) text += ` ${pick(words)}`;
    else if (kind === 7)
      text += String.fromCharCode(32 + below(95)).repeat(1 + below(below(20) === 0 ? 300 : 5));
    else for (let n = below(6); n >= 0; n--) text += character();
  }
  return text;
}

import { fuzzText } from './fuzz-text.ts';

const parts = [
  ...[
    '▁',
    '▁▁',
    ' ▁ ',
    '<sep>',
    'ab',
    'aa',
    'a<sep>b',
    '\0',
    '\u0001',
    '\u200b',
    'ﬁ',
    '½',
    'e\u0301',
    '\u3000',
  ],
  ...[
    '<s>',
    '<unk>',
    '</s>',
    '<0x41>',
    '\u2047',
    'aaaaaaa',
    '1111',
    '2000,',
    '------',
    '¨',
    '\u0308',
    'ﾊﾞ',
    '각',
  ],
  ...[
    '\u1100\u1161\u11a8',
    '\r\n',
    '\n\n',
    '\n',
    '\t',
    '  ',
    '     ',
    'the',
    'ing',
    ' of',
    '\ud800',
    '𓀀',
    '👩‍👧',
    '\ufffd',
  ],
];
const repeated = ['a', 'b', 'e', '-', '0', '1', '.', '=', 'ab', 'ss', 'é', '中', '▁', ' ', '\n', '𓀀'];
const ends = ['', ' ', '  ', '\n', '\t', ' \u3000', '▁', '\u200b', ' \u200b ', '<sep>'];

/** Text that SentencePiece stumbles over: spaces of every kind, ▁ itself, names of pieces, long runs whose cuts tie, broken UTF-16. */
export function pieceText(random: () => number): string {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const below = (n: number) => Math.floor(random() * n);
  const kind = below(4);
  if (kind === 0) return fuzzText(random, 30);
  let text = '';
  for (let n = below(12); n >= 0; n--) {
    if (kind === 1) text += pick(parts);
    else if (kind === 2) text += pick(repeated).repeat(1 + below(1 + below(40))) + pick(['', ' ']);
    else text += below(5) < 2 ? fuzzText(random, 3) : pick([' ', pick(parts)]);
  }
  return pick(ends) + text + pick(ends);
}

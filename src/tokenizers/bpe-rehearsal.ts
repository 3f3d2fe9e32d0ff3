import type { BpeEngine } from './bpe.ts';
import { Utf8Text } from './bpe-text.ts';
import { createIdSink } from './id-sink.ts';
import type { Scanner } from './scanner.ts';

/** Texts from here on are worth a rehearsal: it costs a few milliseconds and saves tens. */
export const rehearsedUnits = 65536;

const rounds = 12;

/**
 * Encodes a small text that takes every branch of a scanner and of the engine some times.
 *
 * V8 compiles hot functions with the branches that it has seen, and throws the code away when another comes: without
 * this, the first megabytes of a text run interpreted again and again. Afterwards the word cache holds these words too.
 */
export function rehearse(engine: BpeEngine, scanner: Scanner): void {
  const text = new Utf8Text();
  for (let round = 0; round < rounds; round++) {
    const sink = createIdSink(1);
    text.set(sampleText(String.fromCharCode(97 + round)));
    engine.encodeWords(text.bytes, 0, text.length, scanner, sink);
  }
}

/** Words of all lengths and kinds, some of them new for each letter, from few pages of Unicode. */
function sampleText(letter: string): string {
  const upper = letter.toUpperCase();
  return [
    ` the ${letter} word of ${letter}s, it's I'LL don't x'ſ 'tis we've you're I'm he'd`,
    `${upper}amel${upper}ase HTTP${upper}erver ${upper}${upper} Éc${letter}le naïve ǅ${letter}ʰªº été e\u0301\u0300${letter} \u0301A`,
    `При${letter}вет мир 中中${letter} 中 😀${letter}😀`,
    `0 12 345 67890${letter} ²½ $${letter} (${letter}); !!! ... «»— /* */ // "${letter}"`,
    `\n\n  \n\t\t${letter}\r\n   ${letter} \u00a0\u3000x \u0085 \u2028${letter}  `,
    ` unbelievably${letter} internationalization${letter} ${(letter + upper).repeat(20)} ${'-='.repeat(30)}${letter}`,
    ` ${letter.repeat(70)} ${'ab'.repeat(60)}${letter}\n`,
  ].join('');
}

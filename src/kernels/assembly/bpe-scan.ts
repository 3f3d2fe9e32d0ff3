// The twins of ../../tokenizers/scanner-{classes,contraction,gpt2,cl100k,o200k}.ts. Beyond them, they tell whether a word could be
// another if the text went on.
import { asciiAt, classesAt, mostWords, wordEndsAt } from './bpe-memory';

const other: u32 = 1;
const upper: u32 = 2;
const lower: u32 = 4;
const caseless: u32 = 8;
const mark: u32 = 16;
const number: u32 = 32;
const space: u32 = 64;
const newline: u32 = 128;
const letters: u32 = upper | lower | caseless;
const whites: u32 = space | newline;
const symbols: u32 = other | mark;
const prefixes: u32 = other | mark | space;

/** No word is decided by what lies further behind its end, unless a run of characters reaches the end of the text. */
const lookAhead: usize = 8;

/** Whether a run of characters has reached the end of the text since this was made false. */
let reached: bool = false;

// @ts-ignore: decorators are AssemblyScript's
@inline
function asciiClass(at: usize): u32 {
  return load<u8>(asciiAt + load<u8>(at));
}

// @ts-ignore
@inline
function classOfCode(code: u32): u32 {
  return load<u8>(classesAt + code) ^ other;
}

// @ts-ignore
@inline
function widthOf(lead: u32): usize {
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/** Class of a character of more than one byte. */
function classAt(at: usize): u32 {
  const lead: u32 = load<u8>(at);
  const second: u32 = load<u8>(at, 1) & 0x3f;
  if (lead < 0xe0) return classOfCode(((lead & 0x1f) << 6) | second);
  const third: u32 = load<u8>(at, 2) & 0x3f;
  if (lead < 0xf0) return classOfCode(((lead & 0x0f) << 12) | (second << 6) | third);
  const code = ((lead & 0x07) << 18) | (second << 12) | (third << 6) | (load<u8>(at, 3) & 0x3f);
  return code > 0x10ffff ? other : classOfCode(code);
}

// @ts-ignore
@inline
function classOf(at: usize): u32 {
  return load<u8>(at) < 0x80 ? asciiClass(at) : classAt(at);
}

/** End of the run of characters whose classes are in `mask`. */
function runEnd(at: usize, end: usize, mask: u32): usize {
  let i = at;
  while (i < end) {
    const lead: u32 = load<u8>(i);
    let kind: u32;
    let width: usize = 1;
    if (lead < 0x80) kind = load<u8>(asciiAt + lead);
    else if (lead < 0xe0) {
      kind = classOfCode(((lead & 0x1f) << 6) | (load<u8>(i, 1) & 0x3f));
      width = 2;
    } else if (lead < 0xf0) {
      kind = classOfCode(((lead & 0x0f) << 12) | ((<u32>load<u8>(i, 1) & 0x3f) << 6) | (load<u8>(i, 2) & 0x3f));
      width = 3;
    } else {
      kind = classAt(i);
      width = 4;
    }
    if ((kind & mask) === 0) return i;
    i += width;
  }
  reached = true;
  return end;
}

/** End of what `\s+(?!\S)|\s+` matches in a run of white space. */
function whiteWordEnd(start: usize, run: usize, end: usize): usize {
  if (run === end) return run;
  let last = run - 1;
  while (last > start && (load<u8>(last) & 0xc0) === 0x80) last--;
  return last > start ? last : run;
}

/** End of `(?i:'s|'t|'re|'ve|'m|'ll|'d)`, or `at`. */
function contractionEnd(at: usize): usize {
  if (load<u8>(at) !== 0x27) return at;
  const raw: u32 = load<u8>(at, 1);
  const first = raw | 0x20;
  const second: u32 = load<u8>(at, 2);
  if (raw >= 0x80) return raw === 0xc5 && second === 0xbf ? at + 3 : at;
  if (raw < 0x41) return at;
  if (first === 0x73 || first === 0x64 || first === 0x6d || first === 0x74) return at + 2;
  if (second < 0x41 || second >= 0x80) return at;
  if (first === 0x6c && (second | 0x20) === 0x6c) return at + 3;
  if ((first === 0x76 || first === 0x72) && (second | 0x20) === 0x65) return at + 3;
  return at;
}

/** Keeps the end of word `count`; false when it is not sure. */
// @ts-ignore
@inline
function keepEnd(count: i32, at: usize, end: usize, whole: bool): bool {
  if (!whole && (reached || at + lookAhead > end)) return false;
  store<u32>(wordEndsAt + (<usize>count << 2), <u32>at);
  return true;
}

/** Writes the ends of the next words, and gives how many; not those that may go on in what follows when the text is not `whole`. */
export function scanGpt2(start: usize, end: usize, whole: bool): i32 {
  reached = false;
  let count = 0;
  let at = start;
  while (at < end && count < mostWords) {
    const lead: u32 = load<u8>(at);
    let next = at + usize(lead === 0x20);
    if ((asciiClass(next) & letters) !== 0) {
      do next++;
      while ((asciiClass(next) & letters) !== 0);
      at = load<u8>(next) < 0x80 ? next : gpt2End(at, at + usize(lead === 0x20), end);
    } else at = lead === 0x27 ? apostropheEnd(at, end) : gpt2End(at, next, end);
    if (!keepEnd(count, at, end, whole)) break;
    count++;
  }
  return count;
}

function gpt2End(start: usize, body: usize, end: usize): usize {
  const first = body < end ? classOf(body) : space;
  if ((first & whites) !== 0) return whiteWordEnd(start, runEnd(start, end, whites), end);
  return runEnd(body, end, (first & letters) !== 0 ? letters : first === number ? number : symbols);
}

function apostropheEnd(at: usize, end: usize): usize {
  const first: u32 = load<u8>(at, 1);
  const second: u32 = load<u8>(at, 2);
  if (first === 0x73 || first === 0x64 || first === 0x6d || first === 0x74) return at + 2;
  if (first === 0x6c && second === 0x6c) return at + 3;
  if ((first === 0x76 || first === 0x72) && second === 0x65) return at + 3;
  return runEnd(at, end, symbols);
}

/** Fills the table of ASCII's classes from that of all. */
export function openClasses(): void {
  for (let code: u32 = 0; code < 128; code++) store<u8>(asciiAt + code, classOfCode(code));
}

/** The same for GPT-4's words. */
export function scanCl100k(start: usize, end: usize, whole: bool, maxDigits: i32, marksInWords: bool): i32 {
  reached = false;
  const words = marksInWords ? letters | mark : letters;
  let count = 0;
  let at = start;
  while (at < end && count < mostWords) {
    let next = at + usize(load<u8>(at) === 0x20);
    if ((asciiClass(next) & letters) !== 0) {
      do next++;
      while ((asciiClass(next) & letters) !== 0);
      at = load<u8>(next) < 0x80 ? next : cl100kEnd(at, end, maxDigits, words);
    } else if (load<u8>(next) >= 0x80 && (classAt(next) & words) !== 0) at = runEnd(next, end, words);
    else at = cl100kEnd(at, end, maxDigits, words);
    if (!keepEnd(count, at, end, whole)) break;
    count++;
  }
  return count;
}

function cl100kEnd(at: usize, end: usize, maxDigits: i32, words: u32): usize {
  const lead: u32 = load<u8>(at);
  if (lead === 0x27) {
    const contraction = contractionEnd(at);
    if (contraction > at) return contraction;
  }
  const first = classOf(at);
  const next = at + widthOf(lead);
  if (first === number) return digitsEnd(at, end, maxDigits);
  const second: u32 = next < end ? classOf(next) : 0;
  if ((first & words) !== 0 || ((first & prefixes) !== 0 && (second & words) !== 0)) return runEnd(next, end, words);
  const signs = symbols & ~words;
  if ((first & signs) !== 0 || (lead === 0x20 && (second & signs) !== 0)) return lineEnds(runEnd(next, end, signs), end, false);
  return spacesEnd(at, end);
}

/** End of `\p{N}{1,max}`. */
function digitsEnd(at: usize, end: usize, max: i32): usize {
  let next = at;
  for (let i = 0; i < max && next < end && classOf(next) === number; i++) next += widthOf(load<u8>(next));
  return next;
}

/** End of `[\r\n]*` or `[\r\n/]*`. */
function lineEnds(at: usize, end: usize, slashes: bool): usize {
  let next = at;
  while (next < end) {
    const byte: u32 = load<u8>(next);
    if (byte !== 0x0a && byte !== 0x0d && (byte !== 0x2f || !slashes)) break;
    next++;
  }
  return next;
}

/** End of `\s*[\r\n]+|\s+(?!\S)|\s+`. */
function spacesEnd(at: usize, end: usize): usize {
  const run = runEnd(at, end, whites);
  for (let last = run; last > at; last--) {
    const byte: u32 = load<u8>(last - 1);
    if (byte === 0x0a || byte === 0x0d) return last;
  }
  return whiteWordEnd(at, run, end);
}

/** The same for GPT-4o's words. */
export function scanO200k(start: usize, end: usize, whole: bool): i32 {
  reached = false;
  let count = 0;
  let at = start;
  while (at < end && count < mostWords) {
    let next = at + usize(load<u8>(at) === 0x20);
    while (asciiClass(next) === upper) next++;
    if (asciiClass(next) === lower) {
      do next++;
      while (asciiClass(next) === lower);
      const byte: u32 = load<u8>(next);
      at = byte === 0x27 || byte >= 0x80 ? o200kEnd(at, end) : next;
    } else at = o200kEnd(at, end);
    if (!keepEnd(count, at, end, whole)) break;
    count++;
  }
  return count;
}

function o200kEnd(at: usize, end: usize): usize {
  const lead: u32 = load<u8>(at);
  const first = classOf(at);
  const next = at + widthOf(lead);
  if (first !== number && first !== newline) {
    const run = lettersEnd(at, (first & prefixes) !== 0 ? next : at, end, first === mark);
    if (run > at) return contractionEnd(run);
  }
  if (first === number) return digitsEnd(at, end, 3);
  if ((first & symbols) !== 0 || (lead === 0x20 && next < end && (classOf(next) & symbols) !== 0)) {
    return lineEnds(runEnd(next, end, symbols), end, true);
  }
  return spacesEnd(at, end);
}

function lettersEnd(start: usize, body: usize, end: usize, markFirst: bool): usize {
  const shares = caseless | mark;
  let at = body;
  let shared: usize = 0;
  while (at < end) {
    const kind = classOf(at);
    if ((kind & (upper | shares)) === 0) {
      if (kind === lower) return runEnd(at, end, lower | shares);
      break;
    }
    at += widthOf(load<u8>(at));
    if (kind !== upper) shared = at;
  }
  if (at >= end) reached = true;
  if (shared > 0) return shared;
  if (markFirst) return body;
  return at > body ? at : start;
}

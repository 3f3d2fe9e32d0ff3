// Where everything lies. Below the first address are the compiler's constants; pages that nobody touches cost no memory.

/** Class of the bytes below 0x80, 0 of the others. */
export const asciiAt: usize = 4096;
/** u32: id of each byte. */
export const byteIdsAt: usize = 8192;
/** u32: ends of the words that were scanned last. */
export const wordEndsAt: usize = 16384;
export const mostWords: i32 = 4096;
/** 16 bytes by which characters of four have a second byte and a third: where each byte goes. */
export const shufflesAt: usize = 0xc000;
/** u32: hashes of long words that were met. */
export const seenAt: usize = 0xd000;
/** Class of every code point but for bit 0, which is turned around, as in ../../tokenizers/scanner-classes.ts. */
export const classesAt: usize = 0x10000;
/** Bytes of text that one call can take; 4 KiB after them belong to it, for the zeros that end it. */
export const textAt: usize = 0x120000;
export const textRoom: i32 = 0x20000;
/** u32: ids of the last call, never more than the text has bytes. */
export const idsAt: usize = 0x150000;
/** u32 each: id, rank, neighbors of every symbol of one word. */
export const symbolsAt: usize = 0x1d0000;
export const ranksAt: usize = 0x250000;
export const previousAt: usize = 0x2d0000;
export const nextAt: usize = 0x350000;
/** u64: pairs of a long word, best first: one for each of the first and two for each merge. */
export const heapAt: usize = 0x3d0000;
/** u32: rank + 1 of every pair of ids below 256. */
export const directAt: usize = 0x6d0000;
/** u32, by two bytes: the early merges of ../../tokenizers/bpe-early.ts. */
export const beforeAt: usize = 0x710000;
export const afterAt: usize = 0x750000;
/** Slots of the word cache, of 16 bytes, and what did not fit in them. A table of n slots begins at slot n. */
export const slotsAt: usize = 0x790000;
export const mostSlots: usize = 1 << 18;
export const restAt: usize = 0xf90000;
export const restRoom: usize = 0x800000;
/** u64: slots of the pair table, as many as the vocabulary needs. Behind them lie what it is filled from and the id of every rank. */
export const pairsAt: usize = 0x1790000;

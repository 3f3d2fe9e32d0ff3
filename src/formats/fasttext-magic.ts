/** FASTTEXT_FILEFORMAT_MAGIC_INT32, little endian. */
const magic = [0xba, 0x16, 0x4f, 0x2f];

/** Bytes of the header that files without a magic number are told by. */
const oldHeaderBytes = 76;

/** True when the first bytes are those of a fastText model. */
export function looksLikeFasttext(head: Uint8Array): boolean {
  return magic.every((byte, index) => head[index] === byte);
}

/**
 * True when the first bytes are the training arguments of a fastText model from before models had a magic number (early 2017).
 *
 * Twelve small numbers that fit together, a sampling threshold, and counts of words and labels that add up.
 */
export function looksLikeOldFasttext(head: Uint8Array): boolean {
  if (head.length < oldHeaderBytes) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const [dim, windowSize, epochs, minCount, negatives, wordNgrams, loss, model, buckets, minn, maxn, rate] =
    Array.from({ length: 12 }, (_, index) => view.getInt32(4 * index, true)) as number[] & { length: 12 };
  const threshold = view.getFloat64(48, true);
  const [size, words, labels] = [56, 60, 64].map((at) => view.getInt32(at, true)) as [number, number, number];
  return (
    isWithin(dim, 1, 1 << 16) &&
    [windowSize, epochs, minCount, negatives, buckets, rate].every((value) => isWithin(value, 0, 2 ** 31)) &&
    [isWithin(wordNgrams, 1, 64), isWithin(loss, 1, 4), isWithin(model, 1, 3)].every(Boolean) &&
    isWithin(minn, 0, 64) &&
    isWithin(maxn, 0, 64) &&
    threshold >= 0 &&
    threshold <= 1 &&
    words > 0 &&
    labels >= 0 &&
    size === words + labels
  );
}

function isWithin(value: number | undefined, least: number, most: number): boolean {
  return value !== undefined && value >= least && value <= most;
}

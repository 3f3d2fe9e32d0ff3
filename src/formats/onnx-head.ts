/** Wire types of ModelProto's fields. Source: onnx/onnx.proto. */
const modelFields: Record<number, number[]> = {
  1: [0],
  2: [2],
  3: [2],
  4: [2],
  5: [0],
  6: [2],
  7: [2],
  8: [2],
  14: [2],
  20: [2],
  25: [2],
  26: [2],
};

/** Wire types of TensorProto's fields. */
const tensorFields: Record<number, number[]> = {
  1: [0, 2],
  2: [0],
  4: [2, 5],
  5: [0, 2],
  6: [2],
  7: [0, 2],
  8: [2],
  9: [2],
  10: [1, 2],
  11: [0, 2],
  12: [2],
  13: [2],
  14: [0],
  16: [2],
};

/** ONNX counts the versions of its format from 1; it is at 14. */
const latestVersion = 1000;

/** DataType has less than this many. */
const mostTypes = 64;

/** True when the first bytes of a file are those of an ONNX model or of a TensorProto. */
export function looksLikeOnnx(head: Uint8Array): boolean {
  return onnxKind(head) !== undefined;
}

/** What the first fields say: a tensor's second field is the number of its dtype, a model's the name of what wrote it. */
export function onnxKind(head: Uint8Array): 'model' | 'tensor' | undefined {
  if (isLengthOfJson(head)) return undefined;
  let isModel = true;
  let isTensor = true;
  let at = 0;
  for (let index = 0; isModel || isTensor; index++) {
    const tag = varintAt(head, at);
    if (tag === undefined) return undefined;
    const field = Math.floor(tag.value / 8);
    const type = tag.value % 8;
    const number = varintAt(head, tag.end);
    if (number === undefined) return undefined;
    const { value } = number;
    isModel &&= (modelFields[field] ?? []).includes(type) && (index > 0 || isVersion(field, value));
    isTensor &&= (tensorFields[field] ?? []).includes(type) && (index > 0 || field <= 2);
    if (isModel && (field === 2 || field === 7 || field === 8)) return 'model';
    if (isTensor && field === 2) return value > 0 && value < mostTypes ? 'tensor' : undefined;
    // Other wire types are no first fields of either.
    if (type !== 0 && type !== 2) return undefined;
    at = number.end + (type === 2 ? value : 0);
  }
  return undefined;
}

function isVersion(field: number, value: number): boolean {
  return field === 1 && value > 0 && value < latestVersion;
}

/** A safetensors file begins with a length of 8 bytes, whose first may be those of a version. */
function isLengthOfJson(head: Uint8Array): boolean {
  return head[8] === 0x7b && head[5] === 0 && head[6] === 0 && head[7] === 0;
}

function varintAt(bytes: Uint8Array, start: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let at = start; at < bytes.length && at < start + 10; at++) {
    value += (bytes[at] & 0x7f) * 2 ** (7 * (at - start));
    if (bytes[at] < 0x80) return { value, end: at + 1 };
  }
  return undefined;
}

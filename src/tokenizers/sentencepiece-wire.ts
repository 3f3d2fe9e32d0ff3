import { EmbError } from '../errors.ts';

/** A field of a protobuf message that lies in memory. */
export interface WireField {
  number: number;
  /** 0 varint, 1 eight bytes, 2 bytes, 5 four bytes */
  wire: number;
  /** A varint, up to 2^53; four bytes as the u32 that they are. */
  value: number;
  /** Where the bytes lie. */
  start: number;
  end: number;
}

/**
 * Calls with every field of the message bytes[start, end); `field` is one object, reused.
 *
 * Source: https://protobuf.dev/programming-guides/encoding
 * @throws EmbError "corrupt" for a field that goes beyond the message
 */
export function readFields(
  name: string,
  bytes: Uint8Array,
  start: number,
  end: number,
  each: (field: WireField) => void,
): void {
  const field: WireField = { number: 0, wire: 0, value: 0, start: 0, end: 0 };
  let at = start;
  const varint = (): number => {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (at >= end) refuse(name, at, end);
      const byte = bytes[at++];
      // Negative numbers have ten bytes, whose highest bits do not fit a double; no field read here is one.
      if (scale < 2 ** 53) value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    return refuse(name, at, end);
  };
  while (at < end) {
    const tag = varint();
    field.number = Math.floor(tag / 8);
    field.wire = tag % 8;
    field.value = 0;
    if (field.wire === 0) {
      field.value = varint();
      field.start = at;
    } else {
      const size =
        field.wire === 2 ? varint() : field.wire === 5 ? 4 : field.wire === 1 ? 8 : refuse(name, at, end);
      if (size > end - at) refuse(name, at, end);
      field.start = at;
      at += size;
      if (field.wire === 5)
        field.value =
          (bytes[at - 4] | (bytes[at - 3] << 8) | (bytes[at - 2] << 16) | (bytes[at - 1] << 24)) >>> 0;
    }
    field.end = at;
    each(field);
  }
}

function refuse(name: string, at: number, end: number): never {
  throw new EmbError(
    'corrupt',
    `${name}: "protobuf" is broken at byte ${at}, expected fields that end at byte ${end}`,
    'check that the file is complete',
  );
}

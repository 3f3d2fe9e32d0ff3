import { mostKept, mostSegments, type Segment } from './cache.ts';

/** The bytes of a remote file that are here already: pieces that neither touch nor overlap, by start. */
export class Segments {
  #list: Segment[] = [];
  #byteLength = 0;

  get list(): readonly Segment[] {
    return this.#list;
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  /** True when this many bytes more are kept. */
  hasRoom(bytes: number): boolean {
    return this.#list.length < mostSegments && this.#byteLength + bytes <= mostKept;
  }

  /** A view of start..end; undefined unless all of it is here. */
  view(start: number, end: number): Uint8Array | undefined {
    const segment = this.#at(start);
    if (segment === undefined || end > segment.start + segment.bytes.length) return undefined;
    return segment.bytes.subarray(start - segment.start, end - segment.start);
  }

  /** How many bytes are here in one piece up to `start`, and how far the piece reaches. */
  before(start: number): { end: number; length: number } {
    const segment = this.#at(start) ?? this.#list.find((piece) => piece.start + piece.bytes.length === start);
    if (segment === undefined) return { end: start, length: 0 };
    return { end: segment.start + segment.bytes.length, length: segment.bytes.length };
  }

  /** Where the next piece after `start` begins; `otherwise` when there is none. */
  nextStart(start: number, otherwise: number): number {
    return this.#list.find((segment) => segment.start >= start)?.start ?? otherwise;
  }

  /** Takes bytes that lie between the pieces; pieces that touch become one. */
  add(start: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#byteLength += bytes.length;
    const left = this.#list.find((piece) => piece.start + piece.bytes.length === start);
    const right = this.#list.find((piece) => piece.start === start + bytes.length);
    const joined = [...(left ? [left.bytes] : []), bytes, ...(right ? [right.bytes] : [])];
    const piece = {
      start: left?.start ?? start,
      bytes: joined.length === 1 ? bytes : Buffer.concat(joined),
    };
    this.#list = [...this.#list.filter((old) => old !== left && old !== right), piece].sort(
      (a, b) => a.start - b.start,
    );
  }

  #at(start: number): Segment | undefined {
    return this.#list.find(
      (segment) => segment.start <= start && start < segment.start + segment.bytes.length,
    );
  }
}

import { afterAll, beforeAll, beforeEach } from 'vitest';

let largest = 0;

/** Bytes of the largest single buffer that was made since the test began. */
export function largestAllocation(): number {
  return largest;
}

const watched = ['ArrayBuffer', 'Uint8Array', 'Uint16Array', 'Uint32Array', 'Int32Array'] as const;
const alsoWatched = ['Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array', 'Int8Array'] as const;

/**
 * Watches how large the buffers are that code under test makes by `new`; made again by the constructors as they are.
 *
 * Buffer.alloc is watched too. What V8 makes itself (strings, arrays of objects) is not.
 */
export function watchAllocations(): void {
  const scope = globalThis as unknown as Record<string, new (...args: unknown[]) => ArrayBufferView>;
  const kept = new Map<string, new (...args: unknown[]) => ArrayBufferView>();
  const { alloc, allocUnsafe, allocUnsafeSlow } = Buffer;
  beforeAll(() => {
    for (const name of [...watched, ...alsoWatched]) {
      const original = scope[name];
      kept.set(name, original);
      scope[name] = new Proxy(original, {
        construct(target, args, newTarget) {
          const made = Reflect.construct(target, args, newTarget) as ArrayBufferView;
          // A view of a buffer that is there already claims nothing.
          if (typeof args[0] !== 'object') largest = Math.max(largest, made.byteLength);
          return made;
        },
      });
    }
    const watch =
      (make: (size: number, ...how: never[]) => Buffer) =>
      (size: number, ...how: never[]): Buffer => {
        largest = Math.max(largest, size);
        return make(size, ...how);
      };
    Object.assign(Buffer, {
      alloc: watch(alloc),
      allocUnsafe: watch(allocUnsafe),
      allocUnsafeSlow: watch(allocUnsafeSlow),
    });
  });
  beforeEach(() => {
    largest = 0;
  });
  afterAll(() => {
    for (const [name, original] of kept) scope[name] = original;
    Object.assign(Buffer, { alloc, allocUnsafe, allocUnsafeSlow });
  });
}

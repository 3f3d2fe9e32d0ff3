import { webAssembly } from './webassembly.ts';

/** Writes one number as text at a place in `out` and returns where it ends. */
type WriteOne = (value: number, out: Uint8Array, at: number) => number;

/** Writes lists of float32 as their shortest decimals; the plain reference is text/shortest.ts. */
export interface ShortestKernel {
  /**
   * Writes values[start..end) with one separator byte between two of them; those that it leaves out are written by `writeOne`.
   *
   * Returns where the text ends in `out`.
   */
  writeList(
    values: Float32Array,
    start: number,
    end: number,
    separator: number,
    out: Uint8Array,
    at: number,
    writeOne: WriteOne,
  ): number;
}

/** Exports of src/kernels/assembly/shortest.ts. */
interface ShortestExports {
  memory: { readonly buffer: ArrayBuffer };
  valuesAt: { value: number };
  valuesRoom: { value: number };
  textAt: { value: number };
  textEnd: { value: number };
  writeFloats(from: number, count: number, separator: number, start: number): number;
}

let loaded: Promise<ShortestKernel | undefined> | undefined;

/**
 * The kernel, compiled when first asked for; undefined where WebAssembly or 200 KB of it are missing.
 *
 * Cost: about 1 ms for the first call.
 */
export function loadShortestKernel(): Promise<ShortestKernel | undefined> {
  loaded ??= instantiate();
  return loaded;
}

async function instantiate(): Promise<ShortestKernel | undefined> {
  if (webAssembly === undefined) return undefined;
  const { shortestBase64 } = await import('../generated/shortest.ts');
  const module = new webAssembly.Module(Buffer.from(shortestBase64, 'base64'));
  let wasm: ShortestExports;
  try {
    wasm = new webAssembly.Instance(module, {}).exports as ShortestExports;
  } catch (error) {
    // No address space for its memory (`ulimit -v`).
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  const room = wasm.valuesRoom.value;
  const numbers = new Float32Array(wasm.memory.buffer, wasm.valuesAt.value, room);
  const text = new Uint8Array(wasm.memory.buffer);

  const writeSome = (count: number, separator: number, writeOne: WriteOne): number => {
    let end = wasm.textAt.value;
    for (let done = 0; done < count; ) {
      done = wasm.writeFloats(done, count, separator, end);
      end = wasm.textEnd.value;
      if (done < count) {
        end = writeOne(numbers[done], text, end);
        text[end++] = separator;
        done++;
      }
    }
    return end;
  };
  return {
    writeList(values, start, end, separator, out, at, writeOne) {
      let place = at;
      for (let from = start; from < end; from += room) {
        const count = Math.min(room, end - from);
        numbers.set(values.subarray(from, from + count));
        const written = text.subarray(wasm.textAt.value, writeSome(count, separator, writeOne));
        out.set(written, place);
        place += written.length;
      }
      // Every number has a separator behind it; the last one needs none.
      return start < end ? place - 1 : place;
    },
  };
}

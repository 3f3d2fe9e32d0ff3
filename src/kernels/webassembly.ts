/** The part of the WebAssembly JavaScript API that emb uses; neither lib es2023 nor @types/node declares it. */
interface WebAssemblyApi {
  Memory: new (limits: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  validate(bytes: Uint8Array): boolean;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: Record<string, Record<string, unknown>>) => { exports: unknown };
}

/** Bytes of one WebAssembly page. */
export const wasmPageBytes = 65536;

/** WebAssembly of this engine; undefined where it is switched off (`--jitless`). */
export const webAssembly = (globalThis as { WebAssembly?: WebAssemblyApi }).WebAssembly;

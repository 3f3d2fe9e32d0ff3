// Compiles src/kernels/assembly to WebAssembly and writes it as a base64 module: src/generated/kernels.ts.
// Alone: node scripts/generate-wasm.mjs
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The arena's fixed size in pages; src/kernels/arena.ts owns the memory and the first page of it. */
const arenaPages = 512;

const source = 'src/kernels/assembly/moments.ts';
const target = 'src/generated/kernels.ts';

/** Writes the module, unless it was made from the same source by the same script and compiler. */
export async function generateWasm() {
  const inputs = [source, 'scripts/generate-wasm.mjs', 'node_modules/assemblyscript/package.json'];
  const hash = createHash('sha256');
  for (const input of inputs) hash.update(await readFile(root + input));
  const label = `// Made by scripts/generate-wasm.mjs from ${source}, inputs ${hash.digest('hex')}.\n`;
  const present = await readFile(root + target, 'utf8').catch(missingAsEmpty);
  if (present.startsWith(label)) return;
  const base64 = Buffer.from(await compile()).toString('base64');
  await mkdir(`${root}src/generated`, { recursive: true });
  await writeFile(root + target, `${label}export const kernelsBase64 =\n  '${base64}';\n`);
}

/** The wasm bytes. The compiler is imported here because it takes half a second to load. */
async function compile() {
  const { default: asc } = await import('assemblyscript/asc');
  const outputs = [];
  const options = [
    ...['--outFile', 'kernels.wasm', '--optimizeLevel', '3', '--shrinkLevel', '0', '--noAssert'],
    ...['--runtime', 'stub', '--enable', 'simd', '--importMemory', '--noExportMemory'],
    ...['--initialMemory', String(arenaPages), '--maximumMemory', String(arenaPages)],
  ];
  const writeFile = (_name, contents) => void outputs.push(contents);
  const { error, stderr } = await asc.main([source, ...options], { baseDir: root, writeFile });
  if (error) throw new Error(`assemblyscript: ${error.message}\n${stderr.toString()}`);
  return outputs[0];
}

function missingAsEmpty(error) {
  if (error.code !== 'ENOENT') throw error;
  return '';
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await generateWasm();

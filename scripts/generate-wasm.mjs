// Compiles src/kernels/assembly to WebAssembly and writes it as base64 modules: src/generated/{kernels,differences,digest,powers,dots,dots-fused,gram,gram-fused,dequantize,mersenne,shortest,bpe,chunks,text-vectors}.ts.
// Alone: node scripts/generate-wasm.mjs
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The arena's pages; src/kernels/arena.ts owns the memory and the first page of it. A larger one would do (bench/neighbors-memory.mjs). */
const arenaPages = 512;

const arena = ['--importMemory', '--noExportMemory', '--initialMemory', `${arenaPages}`];

/** A kernel that works in the arena; then the same with multiplications and additions in one instruction. */
const withFused = (name, parts) => {
  const source = `src/kernels/assembly/${name}.ts`;
  const plain = {
    source,
    parts: parts.map((part) => `src/kernels/assembly/${part}.ts`),
    target: `src/generated/${name}.ts`,
    name: `${name}Base64`,
    memory: arena,
  };
  const target = `src/generated/${name}-fused.ts`;
  return [plain, { ...plain, target, name: `${name}FusedBase64`, features: ['relaxed-simd'] }];
};

const kernels = [
  ...withFused('dots', ['dots-halves', 'dots-nearness', 'dots-one', 'dots-rounded', 'fused']),
  ...withFused('gram', ['fused']),
  {
    source: 'src/kernels/assembly/moments.ts',
    target: 'src/generated/kernels.ts',
    name: 'kernelsBase64',
    memory: arena,
  },
  {
    source: 'src/kernels/assembly/differences.ts',
    target: 'src/generated/differences.ts',
    name: 'differencesBase64',
    memory: arena,
  },
  {
    source: 'src/kernels/assembly/digest.ts',
    target: 'src/generated/digest.ts',
    name: 'digestBase64',
    memory: arena,
  },
  {
    source: 'src/kernels/assembly/powers.ts',
    target: 'src/generated/powers.ts',
    name: 'powersBase64',
    memory: arena,
  },
  {
    source: 'src/kernels/assembly/dequantize.ts',
    parts: ['put', 'k', 'f8'].map((part) => `src/kernels/assembly/dequantize-${part}.ts`),
    target: 'src/generated/dequantize.ts',
    name: 'dequantizeBase64',
    memory: arena,
  },
  {
    source: 'src/kernels/assembly/strings.ts',
    target: 'src/generated/strings.ts',
    name: 'stringsBase64',
    memory: arena,
  },
  {
    source: 'src/kernels/assembly/mersenne.ts',
    target: 'src/generated/mersenne.ts',
    name: 'mersenneBase64',
    // 64 KiB and 16 sequences of 82,560 bytes.
    memory: ['--initialMemory', '22', '--maximumMemory', '22'],
  },
  {
    source: 'src/kernels/assembly/shortest.ts',
    target: 'src/generated/shortest.ts',
    name: 'shortestBase64',
    // 32 KiB and 4,096 texts of at most 25 bytes.
    memory: ['--initialMemory', '3', '--maximumMemory', '3'],
  },
  {
    source: 'src/kernels/assembly/bpe.ts',
    parts: [
      'bpe-cache',
      'bpe-memory',
      'bpe-names',
      'bpe-scan',
      'bpe-pairs',
      'bpe-joints',
      'bpe-merge',
      'bpe-many',
      'bpe-early',
      'chunks-parts',
      'units',
    ].map((part) => `src/kernels/assembly/${part}.ts`),
    target: 'src/generated/bpe.ts',
    name: 'bpeBase64',
    // As much as the vocabulary needs; src/kernels/bpe.ts makes it.
    memory: ['--importMemory', '--noExportMemory', '--initialMemory', '16'],
  },
  {
    source: 'src/kernels/assembly/chunks.ts',
    parts: [
      'chunks-best',
      'chunks-direct',
      'chunks-parts',
      'chunks-scan',
      'chunks-trie',
      'chunks-words',
      'bpe-cache',
      'bpe-memory',
      'bpe-names',
      'bpe-pairs',
      'bpe-joints',
      'bpe-merge',
      'bpe-many',
      'units',
    ].map((part) => `src/kernels/assembly/${part}.ts`),
    target: 'src/generated/chunks.ts',
    name: 'chunksBase64',
    // As much as the vocabulary needs; src/kernels/chunks.ts makes it.
    memory: ['--importMemory', '--noExportMemory', '--initialMemory', '16'],
  },
  {
    source: 'src/kernels/assembly/text-vectors.ts',
    target: 'src/generated/text-vectors.ts',
    name: 'textVectorsBase64',
    // The arena, as above; its constants lie in the second half of the kernels' page.
    memory: [...arena, '--memoryBase', '32768'],
  },
];

/** Writes the modules, unless they were made from the same source by the same script and compiler. */
export async function generateWasm() {
  for (const kernel of kernels) await generateKernel(kernel);
}

async function generateKernel({ source, parts = [], target, name, features = [], memory }) {
  const inputs = [source, ...parts, 'scripts/generate-wasm.mjs', 'node_modules/assemblyscript/package.json'];
  const hash = createHash('sha256');
  for (const input of inputs) hash.update(await readFile(root + input));
  const label = `// Made by scripts/generate-wasm.mjs from ${source}, inputs ${hash.digest('hex')}.\n`;
  const present = await readFile(root + target, 'utf8').catch(missingAsEmpty);
  if (present.startsWith(label)) return;
  const base64 = Buffer.from(await compile(source, ['simd', ...features], memory)).toString('base64');
  await mkdir(`${root}src/generated`, { recursive: true });
  await writeFile(root + target, `${label}export const ${name} =\n  '${base64}';\n`);
}

/** The wasm bytes. The compiler is imported here because it takes half a second to load. */
async function compile(source, features, memory) {
  const { default: asc } = await import('assemblyscript/asc');
  const outputs = [];
  const options = [
    ...['--outFile', 'kernel.wasm', '--optimizeLevel', '3', '--shrinkLevel', '0', '--noAssert'],
    ...['--runtime', 'stub', ...features.flatMap((name) => ['--enable', name]), ...memory],
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

// Builds dist/: lib/ is the library entry (ESM and types, by tsc), bin/ the command (minified CommonJS with lazy chunks, by rolldown).
// CommonJS because an ESM entry alone costs about 15 ms at start.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import { keepCode } from './code-cache.mjs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
await import('./generate.mjs');

/** Compiled here and moved when whole: a build that does not compile leaves the last one in place. The machine code is added to it after. */
const fresh = 'dist.new';
rmSync(fresh, { recursive: true, force: true });

const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', `${fresh}/lib`], {
  stdio: 'inherit',
});

/** Packages of which the bundle needs little, and what stands for them there. */
const standIns = {
  'fast-string-width': resolve('scripts', 'fast-string-width.cjs'),
  'string-width': resolve('scripts', 'string-width.cjs'),
  'node:child_process': resolve('scripts', 'child-process.cjs'),
};

/** What every command loads comes in one file: a file costs about half a millisecond. */
const shared =
  /src\/(errors|composed-id|layout|bytes\/(breath|input)|commands\/index|cli\/(context|inputs|ids|json-texts|say|progress|terminal|batch-terms)|kernels\/(arena|arena-kernel|webassembly)|text\/(nearest|numbers|escape|width|characters)|render\/(index|table[a-z-]*|elide|colors))\.ts$|cli-table3|fast-string|scripts\/string-width/;

/** What opening a file and looking its rows up loads. */
const opening =
  /src\/(model\/(open|file-model|folder|tensors|resolve|role-finder|roles|embedding-names|layouts|table|tokenizer-place)|formats\/(index|safetensors|rows|row-blocks|column-rows|strided-rows|npy|python-literal|[a-z0-9-]*-magic)|bytes\/(cache-folder|file|folder|ranges|json|json-cursor|memory|[a-z-]*-magic)|dtypes\/(index|floats|ints|half|unaligned|blocks))\.ts$/;

/** What every command that prints rows of a table loads. */
const printing =
  /src\/(commands\/(token-rows|open-table)|core\/(center|project|norms|row-buffer|scripts|random\/(seed|mt19937))|render\/(f32|machine-rows))\.ts$|ndarray/;

/** What commands that compare rows load. */
const comparing =
  /src\/(commands\/(neighbors|queries|among)|core\/(neighbors|neighbor-pass|nearness|shared-scan|top-rows)|kernels\/dots|generated\/dots)\.ts$/;

/** What stats loads. */
const measuring =
  /src\/(commands\/stats(-fields|-options)?|core\/(table-stats|extremes|histogram|outliers)|kernels\/(load|moments)|generated\/kernels)\.ts$/;

/** What formats of numbers as text load. */
const writing = /src\/(text\/(shortest|half-even)|render\/(text-buffer|json-text)|kernels\/shortest)\.ts$/;

/** What the built-in encodings load. */
const encoding =
  /src\/(tokenizers\/(tiktoken(-(encodings|text|tokenizer))?|scanner(-(cl100k|o200k|gpt2|classes|contraction|runs))?|bpe[a-z-]*|id-sink|ranks[a-z-]*)|kernels\/bpe|model\/tokenizer-ref)\.ts$/;

/** What a tokenizer.json of a byte-level model loads. */
const tokenizerJson =
  /src\/tokenizers\/tokenizer-json(?!-(chunks|cuts|decoder|direct|models|more|plan)\.)[a-z-]*\.ts$/;

/** What both ends of the line between two threads load: in the worker's own file it would begin to work where it is only needed. */
const threads = /src\/cli\/(inbox|workers)\.ts$/;

/** Ranks are read as bytes: as a string in a chunk they would have to be parsed and decoded first. */
const ranksAsFiles = {
  name: 'ranks-as-files',
  async load(id) {
    const name = /generated\/(ranks-\w+)\.ts$/.exec(id.replaceAll('\\', '/'))?.[1];
    if (name === undefined) return undefined;
    const base64 = /'([^']*)'/.exec(readFileSync(id, 'utf8'))[1];
    mkdirSync(`${fresh}/bin`, { recursive: true });
    writeFileSync(`${fresh}/bin/${name}.bin`, Buffer.from(base64, 'base64'));
    return {
      code: `import { readFileSync } from 'node:fs';\nexport default readFileSync(\`\${__dirname}/${name}.bin\`);`,
      moduleType: 'js',
    };
  },
};

/** Parts of Node.js are required: chunks that load.js compiles have nobody who could import() for them. */
const builtinsAtOnce = {
  name: 'builtins-at-once',
  transform(code, id) {
    if (!id.endsWith('.ts') || !code.includes("import('node:")) return undefined;
    return code.replace(/\bimport\(('node:[a-z0-9/_]+')\)/g, 'Promise.resolve(require($1))');
  },
};

const bundle = await rolldown({
  input: { main: 'src/cli/main.ts', worker: 'src/cli/worker.ts' },
  platform: 'node',
  plugins: [ranksAsFiles, builtinsAtOnce],
  resolve: { alias: standIns },
  transform: { define: { EMB_VERSION: JSON.stringify(version) } },
  onwarn(warning, report) {
    // commander and chalk ship such code; it is theirs.
    if (warning.code !== 'CIRCULAR_DEPENDENCY') report(warning);
  },
});
await bundle.write({
  dir: `${fresh}/bin`,
  format: 'cjs',
  minify: true,
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name].cjs',
  exports: 'named',
  codeSplitting: {
    groups: [
      { name: 'shared', test: shared },
      { name: 'opening', test: opening },
      { name: 'printing', test: printing },
      { name: 'comparing', test: comparing },
      { name: 'measuring', test: measuring },
      { name: 'writing', test: writing },
      { name: 'encoding', test: encoding },
      { name: 'tokenizer-json', test: tokenizerJson },
      { name: 'threads', test: threads },
    ],
  },
});
await bundle.close();

rmSync('dist', { recursive: true, force: true });
renameSync(fresh, 'dist');
keepCode('dist/bin');

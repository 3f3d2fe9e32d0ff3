// npm run bench [-- NAME...]: measures what docs/bench.md states. Needs a built dist/; python3 with NumPy where a case compares with it.
const names = [
  'startup',
  'tokenize',
  'stats',
  'print',
  'dequantize',
  'words',
  'neighbors',
  'audit',
  'tokenizers',
  'batch',
  'diff',
  'spectrum',
];
const asked = process.argv.slice(2);
for (const name of asked.length > 0 ? asked : names) {
  if (!names.includes(name)) throw new Error(`no bench "${name}", expected ${names.join(', ')}`);
  const { run } = await import(`./${name}.mjs`);
  console.log(await run());
}

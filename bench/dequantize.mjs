// Decoding a mebi of weights of every dtype: plain TypeScript against its SIMD twin, in turn, in one run.
import { claimBytes, releaseBytes } from '../dist/lib/kernels/arena.js';
import { report } from './processes.mjs';

const weights = 1 << 20;
const rounds = 25;

/** Dtypes with a goal, and after them those whose speed is only stated. */
const withGoal = [
  ...['F16', 'BF16', 'F8_E4M3', 'F8_E5M2', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ', 'Q4_0', 'Q8_0'],
  ...['Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K'],
];
const stated = [
  ...[
    'F8_E8M0',
    'Q4_1',
    'Q5_0',
    'Q5_1',
    'Q8_1',
    'Q8_K',
    'IQ1_S',
    'IQ1_M',
    'IQ2_XXS',
    'IQ2_XS',
    'IQ2_S',
    'IQ3_XXS',
  ],
  ...['IQ3_S', 'IQ4_NL', 'IQ4_XS', 'TQ1_0', 'TQ2_0', 'Q1_0', 'Q2_0', 'MXFP4', 'NVFP4', 'F4'],
];

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const perSecond = (milliseconds) => weights / milliseconds / 1e6;

/** Random blocks whose floats and scales are plain: tables have few others, and some processors are slow with subnormal ones. */
function randomBlocks(into, blockBytes) {
  let seed = 12345;
  for (let at = 0; at < into.length; at++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    into[at] = seed >>> 24;
  }
  if (blockBytes === 1) {
    for (let at = 0; at < into.length; at++) into[at] = (into[at] & 0x9f) | 0x20;
    return;
  }
  const view = new DataView(into.buffer, into.byteOffset, into.length);
  for (let block = 0; block < into.length; block += blockBytes) {
    for (const at of blockBytes === 2 ? [0] : [0, 2, 80, 82, 108, 208, blockBytes - 2]) {
      if (at + 2 > blockBytes) continue;
      view.setUint16(block + at, 0x2000 + (view.getUint16(block + at, true) & 0x9fff), true);
    }
  }
}

export async function run() {
  const { loadDType } = await import('../dist/lib/dtypes/index.js');
  const out = claimBytes(weights * 4);
  const floats = new Float32Array(out.buffer, out.byteOffset, weights);
  const rows = [];
  for (const name of [...withGoal, ...stated]) {
    const [plain, twin] = [await loadDType(name, false, 0), await loadDType(name)];
    const { blockBytes, blockWeights } = plain;
    const blocks = weights / blockWeights;
    const src = claimBytes(blocks * blockBytes);
    randomBlocks(src, blockBytes);
    const cases = [plain, ...(twin.decode === plain.decode ? [] : [twin])];
    const times = cases.map(() => []);
    for (let round = -5; round < rounds; round++) {
      for (const [index, { decode }] of cases.entries()) {
        const started = performance.now();
        decode(src, floats);
        if (round >= 0) times[index].push(performance.now() - started);
      }
    }
    releaseBytes(src);
    const goals = withGoal.includes(name) ? [0.5, 1.2] : [];
    for (const [index, all] of times.entries()) {
      const [best, middle] = [perSecond(Math.min(...all)), perSecond(median(all))];
      rows.push({
        name: `${name}, ${index === 0 ? 'TypeScript' : 'SIMD'}`,
        goal: goals[index] === undefined ? '' : `>= ${goals[index]} G/s`,
        measured: `${best.toFixed(2)} G/s best, ${middle.toFixed(2)} median`,
      });
    }
  }
  releaseBytes(out);
  return report(`decoding ${weights.toLocaleString('en-US')} weights in memory`, rows);
}

// The kernels that multiply and add in one instruction, as large scans have them.
import { describe, expect, test, vi } from 'vitest';
import { loadDotKernel } from '../../src/kernels/dots.ts';

vi.mock('../../src/kernels/dots.ts', async (load) => {
  const dots = await load<typeof import('../../src/kernels/dots.ts')>();
  return { ...dots, loadDotKernel: (name?: 'ts' | 'simd') => dots.loadDotKernel(name, true) };
});
vi.mock('../../src/kernels/gram.ts', async (load) => {
  const gram = await load<typeof import('../../src/kernels/gram.ts')>();
  return { ...gram, loadGramKernel: (name?: 'ts' | 'simd') => gram.loadGramKernel(name, true) };
});

test('a sum and a product are rounded once', async () => {
  const kernel = await loadDotKernel('simd');
  const x = 1 + 2 ** -12;
  // x² is 1 + 2^-11 + 2^-24, which float32 cannot hold. Values 16 apart are added in one lane.
  const [data, queries] = [new Float32Array(32), new Float32Array(32)];
  data.set([-1 - 2 ** -11], 0);
  queries.set([1], 0);
  data.set([x], 16);
  queries.set([x], 16);
  const [dots, squares] = [new Float32Array(2), new Float32Array(1)];
  const { claimFloats, releaseBytes } = await import('../../src/kernels/arena.ts');
  const parts = [data, queries, dots, squares].map((part) => {
    const floats = claimFloats(part.length);
    floats.set(part);
    return floats;
  });
  const block = { rows: 1, dim: 32, count: 1, stride: 1 };
  kernel.dotRows({ ...block, data: parts[0], queries: parts[1], dots: parts[2], squares: parts[3] });
  expect(parts[2][0]).toBe(2 ** -24);
  parts.forEach(releaseBytes);
});

describe('the tests of the kernels, with fused ones', async () => {
  await import('./dots.test.ts');
  await import('./nearness.test.ts');
  await import('./candidate-rows.test.ts');
  await import('./gram.test.ts');
});

/** Which files of the world a test reads. One line per test; what no line claims is not covered yet. */
export const covered: { test: string; reads(path: string): boolean }[] = [
  { test: 'safetensors.test.ts', reads: (path) => path.endsWith('.safetensors') },
  { test: 'npy.test.ts', reads: (path) => path.endsWith('.npy') },
  {
    test: 'tiktoken.test.ts',
    reads: (path) => /^dotnet\+|\.tiktoken$|TestPlans\.txt$/.test(path),
  },
];

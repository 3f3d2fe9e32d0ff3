import type { Renderer } from '../types.ts';

/** Every output format: the file endings that choose it, whether a terminal can show it, and how it is loaded when it is named. */
export const renderers: Record<string, { endings: string[]; binary: boolean; load(): Promise<Renderer> }> = {
  table: { endings: [], binary: false, load: async () => (await import('./table.ts')).renderer },
  json: { endings: ['json'], binary: false, load: async () => (await import('./json.ts')).renderer },
  jsonl: {
    endings: ['jsonl', 'ndjson'],
    binary: false,
    load: async () => (await import('./jsonl.ts')).renderer,
  },
  csv: { endings: ['csv'], binary: false, load: async () => (await import('./csv.ts')).csvRenderer },
  tsv: { endings: ['tsv'], binary: false, load: async () => (await import('./csv.ts')).tsvRenderer },
  md: {
    endings: ['md', 'markdown'],
    binary: false,
    load: async () => (await import('./markdown.ts')).renderer,
  },
  npy: { endings: ['npy'], binary: true, load: async () => (await import('./npy.ts')).renderer },
  f32: { endings: ['f32'], binary: true, load: async () => (await import('./f32.ts')).renderer },
  safetensors: {
    endings: ['safetensors'],
    binary: true,
    load: async () => (await import('./safetensors.ts')).renderer,
  },
  torch: { endings: ['torch'], binary: false, load: async () => (await import('./torch.ts')).renderer },
  numpy: { endings: ['numpy'], binary: false, load: async () => (await import('./numpy.ts')).renderer },
  ids: { endings: ['ids'], binary: false, load: async () => (await import('./ids.ts')).renderer },
  text: { endings: ['txt'], binary: false, load: async () => (await import('./text.ts')).renderer },
  heatmap: { endings: [], binary: false, load: async () => (await import('./heatmap.ts')).renderer },
  svg: { endings: ['svg'], binary: false, load: async () => (await import('./svg.ts')).renderer },
};

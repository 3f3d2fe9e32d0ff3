/** What parts of a model tables play. */
export const layers = ['input', 'output', 'position', 'type'] as const;

/** One of them. */
export type Layer = (typeof layers)[number];

/**
 * How positions enter: learned (a table), sinusoidal (a formula), rotary, alibi and relative (inside attention), none.
 * offset: row of the first position. max: how many positions the model was made for.
 */
export interface PositionLayout {
  kind: 'learned' | 'sinusoidal' | 'rotary' | 'alibi' | 'relative' | 'none' | 'unknown';
  offset: number;
  max: number | null;
  /** sinusoidal: sin and cos alternate; all sin come before all cos; the latter with frequencies over dim / 2 - 1. */
  form?: 'interleaved' | 'halves' | 'tensor2tensor';
}

/** What config.json says about the embedding layer; null is unknown. Never trusted: tables say what is there. */
export interface ModelLayout {
  /** model_type, else the first of architectures. */
  architecture: string | null;
  dim: number | null;
  vocab: number | null;
  positions: PositionLayout;
  types: number | null;
  tied: boolean | null;
  paddingId: number | null;
  /** The model multiplies its input embeddings by this; rounded: to the weights' dtype first, as transformers does. */
  scale: { factor: number; rounded: boolean; reason: string } | null;
}

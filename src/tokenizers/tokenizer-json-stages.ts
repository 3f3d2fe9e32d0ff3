import type { TokenStage } from '../types.ts';
import type { TokenizerFile } from './tokenizer-json-file.ts';

/** Tells the tokens that stand for what the model has no pieces for from its pieces. */
export class ModelStages {
  private readonly file: TokenizerFile;
  private ready: { unknown: number | undefined; fallsBack: boolean } | undefined;

  constructor(file: TokenizerFile) {
    this.file = file;
  }

  /** The model's token for what it has no pieces for; undefined where it never gives one. */
  get unknown(): number | undefined {
    this.ready ??= this.read();
    return this.ready.unknown;
  }

  /** What made a token that the model gave. */
  of(id: number): TokenStage {
    this.ready ??= this.read();
    if (id === this.ready.unknown) return 'unknown';
    if (!this.ready.fallsBack) return 'model';
    return /^<0x[0-9A-F]{2}>$/.test(this.file.vocabulary.nameOf(id) ?? '') ? 'byte fallback' : 'model';
  }

  private read() {
    const { model, modelType, vocabulary } = this.file;
    const named =
      model.unk_token ?? (modelType === 'WordPiece' ? '[UNK]' : modelType === 'WordLevel' ? '<unk>' : null);
    const unknown =
      modelType === 'Unigram'
        ? (model.unk_id ?? undefined)
        : typeof named === 'string'
          ? vocabulary.idOf(named)
          : undefined;
    return { unknown: unknown as number | undefined, fallsBack: model.byte_fallback === true };
  }
}

import { EmbError } from '../errors.ts';
import { nearestNames } from '../text/nearest.ts';
import type {
  EncodeOptions,
  ExplainedWord,
  Explanation,
  IdSink,
  Metadata,
  Token,
  Tokenizer,
  TokenStage,
} from '../types.ts';
import { explainWords } from './bpe-explain.ts';
import { type FragmentModel, type ModelPlan, planOf } from './gguf-models.ts';
import { byteOfToken, GgufPieces, tokenTypes } from './gguf-pieces.ts';
import { unescapeRwkv } from './gguf-rwkv-escapes.ts';
import { createSpanSink, pushId } from './id-sink.ts';
import { type AddedToken, AddedTokenMatcher, type Segment } from './tokenizer-json-added.ts';
import { bytesOfPiece, pieceOfText } from './tokenizer-json-bytes.ts';

/**
 * The tokenizer of a GGUF file's tokenizer.ggml keys: gpt2 (byte pairs), gemma4, llama (SentencePiece), bert, t5, rwkv or plamo2.
 *
 * Ids are those that llama.cpp gives. Of every other kind, and of ways to cut words that nobody knows, the names of ids are there, and
 * encode says what it lacks.
 * Cost: reads the vocabulary; tables are built by the first encode.
 * @param name as errors call the file
 * @throws EmbError "corrupt" for keys of the wrong kind or number
 */
export async function openGgufTokenizer(name: string, metadata: Metadata): Promise<Tokenizer> {
  const pieces = await GgufPieces.read(name, metadata);
  const plan = planOf(name, metadata, pieces);
  const model = plan.create instanceof EmbError ? plan.create : await plan.create();
  return new GgufTokenizer(name, metadata, pieces, plan, model);
}

class GgufTokenizer implements Tokenizer {
  readonly kind: string;
  readonly explains: Explanation;
  readonly name: string;
  readonly vocabSize: number;
  readonly unknownId: number | undefined;
  private readonly pieces: GgufPieces;
  private readonly plan: ModelPlan;
  private readonly model: FragmentModel | EmbError;
  private readonly before: readonly number[];
  private readonly after: readonly number[];
  private readonly strips: { left: (text: string) => boolean; right: (text: string) => boolean };
  private readonly spans = createSpanSink();
  private matcher: AddedTokenMatcher | null | undefined;

  constructor(
    name: string,
    metadata: Metadata,
    pieces: GgufPieces,
    plan: ModelPlan,
    model: FragmentModel | EmbError,
  ) {
    this.name = name;
    this.kind = `gguf ${metadata.get('tokenizer.ggml.model')}`;
    this.pieces = pieces;
    this.vocabSize = pieces.count;
    this.plan = plan;
    this.explains = plan.explains;
    this.unknownId = plan.unknownId;
    this.model = model;
    this.before = plan.before;
    this.after = plan.after;
    this.strips = stripsOf(metadata);
  }

  get template(): Tokenizer['template'] {
    return { before: this.before.length, after: this.after.length };
  }

  encodeIds(text: string, into: IdSink, options: EncodeOptions = {}): void {
    this.encodeInto(text, into, options);
  }

  /** What made a token of the model's. */
  private modelStage(id: number): TokenStage {
    const type = this.pieces.typeOf(id);
    if (type === tokenTypes.byte) return 'byte fallback';
    return id === this.unknownId || type === tokenTypes.unknown ? 'unknown' : 'model';
  }

  encode(text: string, options: EncodeOptions = {}): Token[] {
    const sink = this.spans;
    sink.length = 0;
    const stages = new Map<number, TokenStage>();
    this.encodeInto(text, sink, options, stages);
    return Array.from({ length: sink.length }, (_, i) => ({
      id: sink.ids[i],
      text: this.pieces.textOf(sink.ids[i]),
      bytes: this.bytesOf(sink.ids[i]) ?? new Uint8Array(),
      start: sink.starts[i],
      end: sink.ends[i],
      special: this.isSpecial(sink.ids[i]),
      stage: stages.get(i) ?? this.modelStage(sink.ids[i]),
    }));
  }

  explain(text: string, options: EncodeOptions = {}): Iterable<ExplainedWord> {
    return explainWords((into) => this.encodeInto(text, into, { ...options, template: false }));
  }

  /** `stages` collects what made the tokens that are not the model's, by their place in the sink. */
  private encodeInto(
    text: string,
    into: IdSink,
    options: EncodeOptions,
    stages?: Map<number, TokenStage>,
  ): void {
    const add = (stage: TokenStage, id: number, start: number, end: number): void => {
      stages?.set(into.length, stage);
      pushId(into, id, start, end);
    };
    const { model } = this;
    if (model instanceof EmbError) throw model;
    const isWrapped = options.template !== false;
    // Readers get UTF-8, in which a lone surrogate is U+FFFD.
    const whole = text.replace(/\p{Surrogate}/gu, '\ufffd');
    if (isWrapped) for (const id of this.before) add('template', id, 0, 0);
    let afterSpecial = true;
    for (const { start, end, token } of this.split(whole, options.allowSpecial === false)) {
      if (token === undefined) model.encode(whole.slice(start, end), start, afterSpecial, into);
      else add('added token', token.id, start, end);
      afterSpecial = token !== undefined;
    }
    if (isWrapped) for (const id of this.after) add('template', id, whole.length, whole.length);
  }

  private split(text: string, ignoreSpecial: boolean): Segment[] {
    this.matcher ??= this.createMatcher();
    if (this.matcher !== null) return this.matcher.split(text, ignoreSpecial);
    return text === '' ? [] : [{ start: 0, end: text.length, token: undefined }];
  }

  private createMatcher(): AddedTokenMatcher | null {
    const tokens = new Map<string, AddedToken>();
    for (const id of this.pieces.parsedIds()) {
      const content = this.pieces.textOf(id);
      tokens.set(content, {
        id,
        content,
        singleWord: false,
        lstrip: this.strips.left(content),
        rstrip: this.strips.right(content),
        normalized: false,
        special: this.pieces.isSpecial(id),
      });
    }
    return tokens.size === 0 ? null : new AddedTokenMatcher(tokens);
  }

  decodeBytes(ids: ArrayLike<number>): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let i = 0; i < ids.length; i++) {
      const bytes = this.bytesOf(ids[i]);
      if (bytes === undefined) {
        throw new EmbError(
          'range',
          `${this.name}: "id" is ${ids[i]}, expected one of the ${this.vocabSize} of the vocabulary`,
        );
      }
      const isFirst = i === 0 || (i === 1 && ids[0] === this.before[0]);
      const drops = this.plan.dropsSpace && isFirst && !this.isSpecial(ids[i]) && bytes[0] === 0x20;
      parts.push(drops ? bytes.subarray(1) : bytes);
    }
    return Buffer.concat(parts);
  }

  tokenOf(id: number): string | undefined {
    return this.pieces.has(id) ? this.pieces.textOf(id) : undefined;
  }

  bytesOf(id: number): Uint8Array | undefined {
    const { pieces } = this;
    if (!pieces.has(id)) return undefined;
    const text = pieces.textOf(id);
    const type = pieces.typeOf(id);
    if (type === tokenTypes.byte) {
      const byte = byteOfToken(text);
      if (byte !== undefined) return Uint8Array.of(byte);
    }
    if (this.plan.spelling === 'escapes') return unescapeRwkv(pieces.bytesOf(id));
    if (type === tokenTypes.control || type === tokenTypes.userDefined || type === tokenTypes.unknown) {
      return Buffer.from(text);
    }
    if (this.plan.spelling === 'bytes') return bytesOfPiece(text);
    return this.plan.spelling === 'spaces' ? Buffer.from(text.replaceAll('▁', ' ')) : Buffer.from(text);
  }

  idOf(token: string): number | undefined {
    const exact = this.pieces.idOf(token);
    return exact ?? this.pieces.idOf(this.spell(token));
  }

  /** How the vocabulary writes a text. */
  private spell(text: string): string {
    if (this.plan.spelling === 'bytes') return pieceOfText(text);
    return this.plan.spelling === 'spaces' ? text.replaceAll(' ', '▁') : text;
  }

  isSpecial(id: number): boolean {
    return this.pieces.has(id) && this.pieces.isSpecial(id);
  }

  suggest(token: string, count: number): string[] {
    const names = [...this.pieces.names()];
    const near = nearestNames(token, names, count);
    const spelled = this.spell(token);
    if (spelled === token) return near;
    return [...new Set([...near, ...nearestNames(spelled, names, count)])].slice(0, count);
  }
}

/** Which special tokens take white space along. Files do not say it; llama.cpp goes by these names, too. */
function stripsOf(metadata: Metadata) {
  const text = (key: string): string => String(metadata.get(key) ?? '').toLowerCase();
  const pre = text('tokenizer.ggml.pre');
  const isJina =
    /jina-v2-(de|es|code)/.test(pre) || /nomic-bert-moe|jina-bert-v3/.test(text('general.architecture'));
  const isPhi = /phi-?3/.test(text('general.name'));
  const isModernBert = text('general.name').includes('modern-bert');
  return {
    left: (content: string) =>
      isJina ? content === '<mask>' : !isPhi && isModernBert && content === '[MASK]',
    right: (content: string) => !isJina && isPhi && !['<unk>', '<s>', '<|endoftext|>'].includes(content),
  };
}

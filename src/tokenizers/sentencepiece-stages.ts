import type { IdSink, TokenStage } from '../types.ts';
import { pushId } from './id-sink.ts';
import { pieceTypes } from './sentencepiece-model.ts';

/** What made tokens, by their place in a sink. */
export type Stages = Map<number, TokenStage>;

/** Appends ids to a sink and keeps what made them, where that is asked for. */
export function stagePusher(into: IdSink, stages: Stages | undefined) {
  return (stage: TokenStage, id: number, start: number, end: number): void => {
    stages?.set(into.length, stage);
    pushId(into, id, start, end);
  };
}

/** What made a token that the model gave, by the type of its piece. */
export function stageOfType(type: number | undefined): TokenStage {
  if (type === pieceTypes.byte) return 'byte fallback';
  return type === pieceTypes.unknown ? 'unknown' : 'model';
}

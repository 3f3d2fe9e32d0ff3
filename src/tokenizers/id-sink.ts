import type { IdSink } from '../types.ts';
import type { TracedWord } from './bpe-explain.ts';

/** A sink that also keeps where every token lies, as byte offsets into the text's UTF-8. */
export interface SpanSink extends IdSink {
  starts: Uint32Array;
  ends: Uint32Array;
  /** Collects the words of the model, where they are to be explained. */
  trace?: TracedWord[];
}

/** An empty sink; it grows as ids arrive. */
export function createIdSink(capacity = 256): IdSink {
  return { ids: new Uint32Array(capacity), length: 0 };
}

/** An empty sink that keeps byte spans too. */
export function createSpanSink(capacity = 256): SpanSink {
  return {
    ids: new Uint32Array(capacity),
    starts: new Uint32Array(capacity),
    ends: new Uint32Array(capacity),
    length: 0,
  };
}

/** True when the sink wants byte spans. */
export function keepsSpans(sink: IdSink): sink is SpanSink {
  return (sink as Partial<SpanSink>).starts !== undefined;
}

function grown(array: Uint32Array, length: number, capacity: number): Uint32Array {
  const larger = new Uint32Array(capacity);
  larger.set(array.subarray(0, length));
  return larger;
}

/** Makes room for `extra` more ids (and spans, where kept), at least doubling. */
export function reserveIds(sink: IdSink, extra: number): void {
  const needed = sink.length + extra;
  if (needed <= sink.ids.length && (!keepsSpans(sink) || needed <= sink.starts.length)) return;
  const capacity = Math.max(needed, sink.ids.length * 2);
  sink.ids = grown(sink.ids, sink.length, capacity);
  if (!keepsSpans(sink)) return;
  sink.starts = grown(sink.starts, sink.length, capacity);
  sink.ends = grown(sink.ends, sink.length, capacity);
}

/** Appends one token; start and end are byte offsets, ignored by sinks without spans. */
export function pushId(sink: IdSink, id: number, start: number, end: number): void {
  reserveIds(sink, 1);
  if (keepsSpans(sink)) {
    sink.starts[sink.length] = start;
    sink.ends[sink.length] = end;
  }
  sink.ids[sink.length++] = id;
}

// W3C traceparent <-> the ids that spans of one trace share.

/** Where a span stands in its trace. */
export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** Whether whoever began the trace keeps it. */
  readonly sampled: boolean;
}

const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-|$)/;

/** Null for what is none, or is all zeros. @see https://www.w3.org/TR/trace-context/#traceparent-header */
export function parseTraceparent(text: string | null): TraceContext | null {
  const found = text === null ? null : TRACEPARENT.exec(text);
  if (found === null) return null;
  const [, version, traceId = '', spanId = '', flags = '', rest] = found;
  const isVoid = /^0+$/.test(traceId) || /^0+$/.test(spanId);
  if (version === 'ff' || isVoid || (version === '00' && rest !== '')) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** A new trace, or a new span of the trace of `parent`. */
export function startTrace(random: () => number, parent: TraceContext | null = null): TraceContext {
  return {
    traceId: parent?.traceId ?? randomHex(random, 32),
    spanId: randomHex(random, 16),
    sampled: parent?.sampled ?? true,
  };
}

/** Hex digits, not all of them zero. */
function randomHex(random: () => number, digits: number): string {
  let text = '';
  while (text.length < digits)
    text += Math.floor(random() * 0x1_0000)
      .toString(16)
      .padStart(4, '0');
  return /^0+$/.test(text) ? `${text.slice(1)}1` : text;
}

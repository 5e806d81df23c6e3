// What the health gate decided by: its kind and values, for screens in their user's language, and English.

/** Counts are of frames that both releases saw; shares from -1 to 1. */
export type GateCause =
  | { readonly kind: 'gate-answers'; readonly missing: number; readonly frames: number; readonly missingBefore: number }
  | {
      readonly kind: 'gate-moved';
      readonly verdict: 'NG' | 'REVIEW';
      readonly share: number;
      readonly allowedShare: number;
    }
  | { readonly kind: 'gate-escaped'; readonly escaped: number; readonly ng: number }
  | { readonly kind: 'gate-slower'; readonly p95Ms: number; readonly beforeMs: number }
  | {
      readonly kind: 'gate-unclear';
      readonly verdict: 'NG' | 'REVIEW';
      readonly share: number;
      readonly frames: number;
    }
  | { readonly kind: 'gate-healthy'; readonly frames: number };

export function gateReason(cause: GateCause): string {
  switch (cause.kind) {
    case 'gate-answers':
      return `${cause.missing} of ${cause.frames} frames have no answer, the old release had ${cause.missingBefore}`;
    case 'gate-moved':
      return `the share of ${cause.verdict} moved by ${percent(cause.share)}, ${percent(cause.allowedShare)} is allowed`;
    case 'gate-escaped':
      return `${cause.escaped} of ${cause.ng} frames that were NG are PASS now`;
    case 'gate-slower':
      return `95 % of frames take up to ${cause.p95Ms.toFixed(1)} ms, ${cause.beforeMs.toFixed(1)} ms with the old release`;
    case 'gate-unclear':
      return `the share of ${cause.verdict} is still ${percent(cause.share)} off after ${cause.frames} frames`;
    case 'gate-healthy':
      return `healthy on ${cause.frames} frames`;
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

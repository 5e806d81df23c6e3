// Why frames go elsewhere, as a code with its values -> one English sentence, for logs and terminals.
import type { SwitchReason } from './reasons.ts';
import { refusalText } from './routes.ts';

export function sayReason(reason: SwitchReason, from: string, to: string): string {
  const takes = (ms: number | null): string => (ms === null ? 'an unknown time' : `${figure(ms)} ms`);
  switch (reason.code) {
    case 'gain': {
      const { ms, fromMs, marginMs, changes } = reason;
      if (ms === null || fromMs === null) return `${to} takes ${takes(ms)}; what ${from} takes is not known`;
      const parts = changes.map(({ part, byMs }) => `${part} ${byMs > 0 ? '+' : '-'}${figure(Math.abs(byMs))} ms`);
      const because = parts.length === 0 ? '' : ` (${parts.join(', ')})`;
      return `${to} takes ${takes(ms)}, ${from} ${takes(fromMs)}: ${figure(fromMs - ms)} ms less, beyond the margin of ${figure(marginMs)} ms${because}`;
    }
    case 'missed': {
      const frames = reason.frames === 1 ? 'a frame' : `${reason.frames} frames in a row`;
      return `${frames} on ${from} got no answer in time; ${to} takes ${takes(reason.ms)}`;
    }
    case 'slow':
      return `on ${from} a slow frame takes ${figure(reason.worstMs)} ms, the deadline is ${figure(reason.deadlineMs)} ms; ${to} takes ${takes(reason.ms)}`;
    case 'link-lost':
      return `the link to the cloud is lost; ${to} takes ${takes(reason.ms)}`;
    case 'refused': {
      const why =
        reason.by === 'constraint'
          ? refusalText(reason.refusal)
          : { cloud: 'the cloud refuses it', missing: 'it does not exist' }[reason.by];
      return `${from} may not be taken: ${why}`;
    }
    case 'pinned':
      return `a person has chosen ${to}`;
  }
}

/** Three digits, whole from 100 on. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return 'unlimited';
  return value >= 100 ? String(Math.round(value)) : Number(value.toPrecision(2)).toString();
}

// A switch's code and values -> why frames went elsewhere, in the language of the page.
import type { CutRow, CutSwitch } from '@kerf/bridge';
import type { RouteRefusal } from '@kerf/edge-runtime';
import type { Language, Translate } from '../i18n/messages.tsx';
import { formatBytes, formatMs, joined } from '../shared/format.ts';
import { routeName } from './cut-names.ts';

export function switchText(change: CutSwitch, rows: readonly CutRow[], t: Translate, language: Language): string {
  const { why } = change;
  const say = (ms: number | null): string => (ms === null ? t('cut.unknownTime') : formatMs(ms, language));
  const [from, to] = [routeName(change.from, rows, t), routeName(change.to, rows, t)];
  switch (why.code) {
    case 'gain': {
      const { ms, fromMs, marginMs, changes } = why;
      if (ms === null || fromMs === null) return t('cut.reason.unknown', { to, from, ms: say(ms) });
      const [gain, margin] = [say(fromMs - ms), say(marginMs)];
      const text = t('cut.reason.gain', { to, from, ms: say(ms), fromMs: say(fromMs), gain, margin });
      const parts = changes.map(
        ({ part, byMs }) => `${t(`cut.part.${part}`)} ${byMs > 0 ? '+' : '−'}${say(Math.abs(byMs))}`,
      );
      return parts.length === 0 ? text : `${text} ${t('cut.reason.changes', { changes: joined(parts, language) })}`;
    }
    case 'missed':
      return t('cut.reason.missed', { frames: why.frames, from, to, ms: say(why.ms) });
    case 'slow':
      return t('cut.reason.slow', {
        worst: say(why.worstMs),
        deadline: say(why.deadlineMs),
        from,
        to,
        ms: say(why.ms),
      });
    case 'link-lost':
      return t('cut.reason.link-lost', { to, ms: say(why.ms) });
    case 'refused':
      return why.by === 'constraint'
        ? t('cut.reason.refused.constraint', { from, why: refusalText(why.refusal, t, language) })
        : t(`cut.reason.refused.${why.by}`, { from });
    case 'pinned':
      return t('cut.reason.pinned', { to });
  }
}

export function refusalText(refusal: RouteRefusal, t: Translate, language: Language): string {
  if (refusal.code === 'wish') return refusal.words;
  if (refusal.code === 'raw-input') return t('cut.refusal.raw-input', { input: refusal.input });
  const [bytes, most] = [formatBytes(refusal.bytes, language), formatBytes(refusal.maxBytes, language)];
  return t('cut.refusal.too-large', { bytes, most });
}

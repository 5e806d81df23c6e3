// A row of the plan -> a bar of what a frame's time is made of, and the same in words.
import type { CutRow } from '@kerf/bridge';
import { useTexts } from '../i18n/messages.tsx';
import { formatMs } from '../shared/format.ts';

export type Place = 'edge' | 'link' | 'cloud';
export const PLACES: readonly Place[] = ['edge', 'link', 'cloud'];

export function msAt(row: CutRow, place: Place): number {
  if (place === 'edge') return row.headMs + row.encodeMs;
  if (place === 'link') return row.uplinkMs + row.roundTripMs + row.downlinkMs;
  return row.decodeMs + row.tailMs;
}

/** @param mostMs what the whole width stands for. */
export function StageBar({ row, mostMs }: { readonly row: CutRow; readonly mostMs: number }) {
  const { t, language } = useTexts();
  const parts = PLACES.map((place) => ({ place, ms: msAt(row, place) }));
  const text = parts
    .filter(({ ms }) => ms > 0)
    .map(({ place, ms }) => t('cut.part', { place: t(`cut.place.${place}`), ms: formatMs(ms, language) }))
    .join(', ');
  return (
    <div className="stage-bar" role="img" aria-label={text} title={text}>
      {parts.map(({ place, ms }) => (
        <span key={place} data-place={place} style={{ width: `${(100 * ms) / Math.max(mostMs, 1e-9)}%` }} />
      ))}
    </div>
  );
}

export function StageLegend() {
  const { t } = useTexts();
  return (
    <ul className="stage-legend">
      {PLACES.map((place) => (
        <li key={place}>
          <span className="swatch" data-place={place} aria-hidden="true" />
          {t(`cut.place.${place}`)}
        </li>
      ))}
    </ul>
  );
}

// One of several lines: the verdict of its newest part, its figures, and what is wrong with it. It opens the line.
import type { StationView } from '@kerf/bridge';
import type { ResultRecord } from '@kerf/edge-runtime';
import { useTexts } from '../i18n/messages.tsx';
import { STALE_MS } from '../line/verdict-tile.tsx';
import { formatNumber } from '../shared/format.ts';
import { OwnWords } from '../shared/own-words.tsx';
import { type Pair, Pairs } from '../shared/pairs-panel.tsx';
import { useStore } from '../shared/store.ts';
import { troublesOf } from '../shared/trouble.ts';
import { VerdictMark } from '../shared/verdict-mark.tsx';
import type { WatchedLine } from './watch-line.ts';

export function LineTile({ line, number }: { readonly line: WatchedLine; readonly number: number }) {
  const texts = useTexts();
  const { t } = texts;
  const name = useStore(line.name);
  const link = useStore(line.link);
  const station = useStore(line.station);
  const newest = useStore(line.newest);
  const troubles = troublesOf(link, station, texts);
  const verdict = newest?.verdict ?? null;
  const seconds = staleSeconds(newest, station);
  const isOld = link.kind !== 'connected' || seconds !== null;
  return (
    <a className="tile line-tile" href={line.href} data-verdict={verdict ?? 'none'} data-stale={isOld}>
      <h2 className="line-name">
        <kbd>{number}</kbd> {name ?? t('lines.unknown')}
      </h2>
      <p className="tile-word">
        {verdict !== null && <VerdictMark verdict={verdict} />}
        <span>{t(`verdict.${verdict ?? 'none'}`)}</span>
      </p>
      {station !== null && <Figures station={station} newest={newest} />}
      {troubles.map(({ kind, text, detail }) => (
        <p key={text} className={kind === 'alarm' ? 'fault' : 'note'}>
          {text}
          <OwnWords text={detail} />
        </p>
      ))}
      {troubles.length === 0 && seconds !== null && <p className="note stale">{t('verdict.stale', { seconds })}</p>}
    </a>
  );
}

function Figures({ station, newest }: { readonly station: StationView; readonly newest: ResultRecord | null }) {
  const { t, language } = useTexts();
  const rows: readonly Pair[] = [
    [t('line.part'), newest === null ? '–' : (newest.partId ?? t('line.noPartId'))],
    [t('line.rate'), formatNumber(station.partsPerSecond, language, 1)],
    [t('lines.ng'), formatNumber(station.verdicts.NG, language)],
    [t('line.link'), t(`link.state.${station.link.state}`)],
  ];
  return <Pairs rows={rows} />;
}

/** By the station's own clock; null while the part is new, or the line does not run. */
function staleSeconds(newest: ResultRecord | null, station: StationView | null): number | null {
  if (newest === null || station?.state !== 'running') return null;
  const ageMs = station.wallMs - Date.parse(newest.takenTime);
  return ageMs > STALE_MS ? Math.floor(ageMs / 1_000) : null;
}

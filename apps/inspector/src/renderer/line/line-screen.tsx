// The line as it runs: the newest part, its verdict, and the figures that say whether the line is well.
import { useEffect, useState } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { LivePicture } from '../pictures/part-picture.tsx';
import { formatNumber } from '../shared/format.ts';
import { lastParts, useInspector, useStore } from '../shared/store.ts';
import { WhyUntold } from '../shared/untold.tsx';
import { LineFigures } from './line-figures.tsx';
import { PauseButton } from './pause-button.tsx';
import { RecentParts } from './recent-parts.tsx';
import { VerdictTile } from './verdict-tile.tsx';

interface Props {
  readonly showOverlay: boolean;
  readonly onOverlay: (show: boolean) => void;
  readonly onChoose: (resultId: string) => void;
}

export function LineScreen({ showOverlay, onOverlay, onChoose }: Props) {
  const { t } = useTexts();
  const inspector = useInspector();
  const live = useStore(inspector.live);
  const station = useStore(inspector.station);
  const parts = lastParts(useStore(inspector.recent), live?.record ?? null);
  const painter = useStore(inspector.pictures.painter);
  const ageMs = useAge(live?.takenAt ?? null, station?.state === 'running');
  const part = live?.record.partId ?? t('line.noPartId');
  return (
    <div className="line">
      <div className="line-main">
        <section className="line-picture" aria-label={t('line.picture', { part })}>
          {live?.hasPicture ? (
            <div className="live-picture">
              <LivePicture showOverlay={showOverlay} label={t('line.picture', { part })} />
              {painter !== 'well' && (
                <p className="live-late" role="status">
                  {painter === 'stuck' ? t('line.stuck') : '…'}
                </p>
              )}
            </div>
          ) : (
            station !== null && (
              <p className="empty">
                {live === null ? t('line.waiting', { source: station.source.name }) : t('line.noPicture')}
              </p>
            )
          )}
          {live?.reduced && <Reduced {...live.reduced} />}
          <div className="toolbar">
            <PauseButton />
            <button type="button" aria-pressed={showOverlay} onClick={() => onOverlay(!showOverlay)}>
              {t(showOverlay ? 'line.overlay.hide' : 'line.overlay.show')}
            </button>
          </div>
        </section>
        <WhyUntold part="recent" />
        <RecentParts records={parts} onChoose={onChoose} />
      </div>
      <div className="line-side">
        <VerdictTile record={parts[0] ?? null} ageMs={ageMs} />
        <LineFigures />
      </div>
    </div>
  );
}

/** What a thin link leaves of the picture, in pixels of its longer side. */
function Reduced({ to, of }: { readonly to: number; readonly of: number }) {
  const { t, language } = useTexts();
  return (
    <p className="note">{t('line.reduced', { to: formatNumber(to, language), of: formatNumber(of, language) })}</p>
  );
}

/** How long ago the newest part was taken; null while that says nothing (a paused line). */
function useAge(takenAt: number | null, isRunning: boolean): number | null {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 500);
    return () => clearInterval(timer);
  }, []);
  return takenAt === null || !isRunning ? null : Math.max(0, now - takenAt);
}

// The verdict of the newest part, readable at three metres.
import type { ResultRecord } from '@kerf/edge-runtime';
import { useTexts } from '../i18n/messages.tsx';
import { formatMs, formatScore } from '../shared/format.ts';
import { ReasonText } from '../shared/reason-text.tsx';
import { VerdictMark } from '../shared/verdict-mark.tsx';

/** A part that is older is marked: the line stands, or the picture does. */
export const STALE_MS = 5_000;

export function VerdictTile({
  record,
  ageMs,
}: {
  readonly record: ResultRecord | null;
  readonly ageMs: number | null;
}) {
  const { t, language } = useTexts();
  if (record === null) {
    return (
      <section className="tile" data-verdict="none">
        <p className="tile-word">{t('verdict.none')}</p>
      </section>
    );
  }
  const part = record.partId ?? t('line.noPartId');
  const [likeliest] = Object.entries(record.scores).sort(([, a], [, b]) => b - a);
  const isStale = ageMs !== null && ageMs > STALE_MS;
  return (
    <section className="tile" data-verdict={record.verdict} data-stale={isStale}>
      <p className="tile-word">
        <VerdictMark verdict={record.verdict} />
        <span>{t(`verdict.${record.verdict}`)}</span>
      </p>
      <p className="visually-hidden" role="status">
        {t('verdict.say', { verdict: t(`verdict.${record.verdict}`), part })}
      </p>
      <dl className="pairs">
        <dt>{t('line.part')}</dt>
        <dd>{part}</dd>
        <dt>{t('line.score')}</dt>
        <dd>{record.score === null ? '–' : formatScore(record.score, language)}</dd>
        {likeliest !== undefined && (
          <>
            <dt>{t('line.class')}</dt>
            <dd>{`${likeliest[0]} ${formatScore(likeliest[1], language)}`}</dd>
          </>
        )}
        <dt>{t('line.took')}</dt>
        <dd>{formatMs(record.totalMs, language)}</dd>
        <dt>{t('line.route')}</dt>
        <dd>{t(`placement.${record.placement}`)}</dd>
      </dl>
      {record.reason !== null && <ReasonText reason={record.reason} />}
      {record.isPartial && <p className="note">{t('verdict.provisional')}</p>}
      {isStale && <p className="note stale">{t('verdict.stale', { seconds: Math.floor(ageMs / 1_000) })}</p>}
    </section>
  );
}

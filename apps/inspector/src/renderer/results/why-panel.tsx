// One result: its picture, the score against the thresholds, where the time went, and the whole record.
import type { PictureView, ThresholdsView } from '@kerf/bridge';
import type { ResultRecord } from '@kerf/edge-runtime';
import { useRef, useState } from 'react';
import { type Translate, useTexts } from '../i18n/messages.tsx';
import { PartPicture } from '../pictures/part-picture.tsx';
import { formatBytes, formatMs, formatScore, shortHash } from '../shared/format.ts';
import { Loading } from '../shared/loading.tsx';
import { Pairs } from '../shared/pairs-panel.tsx';
import { ReasonText, sayCode } from '../shared/reason-text.tsx';
import { sayPlace } from '../shared/say-place.ts';
import { useInspector, useStore } from '../shared/store.ts';
import { Unanswered } from '../shared/untold.tsx';
import { useCall } from '../shared/use-call.ts';
import { useInSight } from '../shared/use-in-sight.ts';
import { VerdictLabel } from '../shared/verdict-mark.tsx';
import { ActivationPanel } from './activation-panel.tsx';
import { exportPart } from './export-part.ts';
import { ScoreScale } from './score-scale.tsx';
import { Waterfall } from './waterfall.tsx';
import { WaysPanel } from './ways-panel.tsx';

export function WhyPanel({
  resultId,
  showOverlay,
}: {
  readonly resultId: string | null;
  readonly showOverlay: boolean;
}) {
  const { t } = useTexts();
  if (resultId === null) {
    return (
      <section className="why" aria-label={t('results.why')}>
        <p className="empty">{t('results.choose')}</p>
      </section>
    );
  }
  return <Why key={resultId} resultId={resultId} showOverlay={showOverlay} />;
}

function Why({ resultId, showOverlay }: { readonly resultId: string; readonly showOverlay: boolean }) {
  const { t, language } = useTexts();
  const { value: record, fault, isPending: isAsked, again } = useCall('results.get', { resultId });
  const { value: picture, isPending } = useCall('results.picture', { resultId });
  const thresholds = useStore(useInspector().thresholds);
  const section = useRef<HTMLElement>(null);
  useInSight(section, record === null ? null : resultId);
  if (fault !== null || (record === null && !isAsked)) {
    return (
      <section className="why" aria-label={t('results.why')}>
        {fault === null ? <p className="empty">{t('results.gone')}</p> : <Unanswered fault={fault} onAgain={again} />}
      </section>
    );
  }
  if (record === null) return <Loading className="why" />;
  const part = record.partId ?? t('line.noPartId');
  return (
    <section ref={section} className="why" aria-label={t('results.why')}>
      <h2>
        <VerdictLabel verdict={record.verdict} /> <span className="why-part">{part}</span>
      </h2>
      {picture === null ? (
        <p className="note">{t(isPending ? 'samples.loading' : 'line.noPicture')}</p>
      ) : (
        <PartPicture record={record} picture={picture} showOverlay={showOverlay} label={t('line.picture', { part })} />
      )}
      <h3>{t('why.title', { verdict: t(`verdict.${record.verdict}`) })}</h3>
      {record.reason !== null && <ReasonText reason={record.reason} />}
      {record.fallbackReason !== null && <p>{t('why.fallback', { code: sayCode(record.fallbackReason, t) })}</p>}
      {record.isPartial && <p className="note">{t('verdict.provisional')}</p>}
      <ScoreReason record={record} thresholds={thresholds} />
      <h3>{t('why.time')}</h3>
      <p>{t('why.total', { ms: formatMs(record.totalMs, language).replace(' ms', '') })}</p>
      <Waterfall record={record} />
      {picture !== null && <ActivationPanel resultId={resultId} />}
      {picture !== null && <WaysPanel record={record} />}
      <Facts record={record} picture={picture} />
    </section>
  );
}

function ScoreReason({
  record,
  thresholds,
}: {
  readonly record: ResultRecord;
  readonly thresholds: ThresholdsView | null;
}) {
  const { t, language } = useTexts();
  if (record.score === null) return <p>{t('why.none')}</p>;
  if (thresholds === null) return null;
  const isSame = thresholds.version === record.thresholdsVersion;
  return (
    <>
      <p>{isSame ? scoreSentence(record.score, thresholds, language, t) : t('why.other')}</p>
      <ScoreScale score={record.score} thresholds={thresholds} />
    </>
  );
}

function scoreSentence(
  score: number,
  { passBelow, ngAbove }: ThresholdsView,
  language: Parameters<typeof formatScore>[1],
  t: Translate,
): string {
  const values = {
    score: formatScore(score, language),
    pass: formatScore(passBelow, language),
    ng: formatScore(ngAbove, language),
  };
  if (score >= ngAbove) return t('why.score.ng', values);
  return t(score < passBelow ? 'why.score.pass' : 'why.score.review', values);
}

function Facts({ record, picture }: { readonly record: ResultRecord; readonly picture: PictureView | null }) {
  const { t, language } = useTexts();
  const [copied, setCopied] = useState(false);
  const text = JSON.stringify(record, null, 2);
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  const rows: [string, string][] = [
    [t('line.route'), sayPlace(record, t)],
    [t('why.release'), shortHash(record.release)],
    [t('why.thresholds'), shortHash(record.thresholdsVersion)],
    [t('why.image'), shortHash(record.imageSha256 ?? '–')],
    [t('why.bytes'), `${formatBytes(record.bytesUp, language)} ↑ ${formatBytes(record.bytesDown, language)} ↓`],
    ...Object.entries(record.scores).map(([name, score]): [string, string] => [name, formatScore(score, language)]),
  ];
  return (
    <>
      <Pairs rows={rows} className="facts" />
      <details>
        <summary>{t('why.record')}</summary>
        <div className="toolbar">
          <button type="button" onClick={copy}>
            {t(copied ? 'why.copied' : 'why.copy')}
          </button>
          <button type="button" onClick={() => exportPart(record, picture)}>
            {t('why.export')}
          </button>
        </div>
        <pre tabIndex={0}>{text}</pre>
      </details>
    </>
  );
}

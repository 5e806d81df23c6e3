// Counters and figures of the line: what came in, what was lost, how fast, over which link.
import type { StationView } from '@kerf/bridge';
import type { Verdict } from '@kerf/edge-runtime';
import { useTexts } from '../i18n/messages.tsx';
import { formatBytes, formatMs, formatNumber, formatShare, joined } from '../shared/format.ts';
import { PairsPanel } from '../shared/pairs-panel.tsx';
import { useInspector, useStore } from '../shared/store.ts';
import { Untold } from '../shared/untold.tsx';
import { VerdictLabel } from '../shared/verdict-mark.tsx';

const VERDICTS: readonly Verdict[] = ['PASS', 'REVIEW', 'NG', 'NO_READ', 'ERROR'];

export function LineFigures() {
  const station = useStore(useInspector().station);
  if (station === null) return <Untold part="station" />;
  return (
    <div className="figures">
      <Counts station={station} />
      <Speed station={station} />
      <SourceCounts station={station} />
    </div>
  );
}

function Counts({ station }: { readonly station: StationView }) {
  const { t, language } = useTexts();
  return (
    <section className="panel" aria-label={t('line.counts')}>
      <h2>{t('line.counts')}</h2>
      <dl className="pairs">
        {VERDICTS.map((verdict) => (
          <div key={verdict} className="pair">
            <dt>
              <VerdictLabel verdict={verdict} />
            </dt>
            <dd>{formatNumber(station.verdicts[verdict], language)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Speed({ station }: { readonly station: StationView }) {
  const { t, language } = useTexts();
  const { bytesUpPerPart, pictureBytesPerPart } = station;
  const { missedPictures: missed = 0, givenUp = 0 } = station.delivery;
  const share =
    bytesUpPerPart === null || !pictureBytesPerPart
      ? null
      : formatShare(bytesUpPerPart / pictureBytesPerPart, language);
  const rows: [string, string][] = [
    [t('line.rate'), formatNumber(station.partsPerSecond, language, 1)],
    [t('line.p50'), station.p50Ms === null ? '–' : formatMs(station.p50Ms, language)],
    [t('line.p99'), station.p99Ms === null ? '–' : formatMs(station.p99Ms, language)],
    [t('line.link'), t(`link.state.${station.link.state}`)],
    [t('line.provider'), station.provider ?? '–'],
    [
      t('line.sent'),
      bytesUpPerPart === null
        ? '–'
        : joined(
            [formatBytes(bytesUpPerPart, language), ...(share === null ? [] : [t('line.sentShare', { share })])],
            language,
          ),
    ],
    [t('line.queued'), formatNumber(station.delivery.waiting, language)],
    ...(givenUp === 0 ? [] : [[t('line.givenUp'), formatNumber(givenUp, language)] satisfies [string, string]]),
    ...(missed === 0 ? [] : [[t('line.missedPictures'), formatNumber(missed, language)] satisfies [string, string]]),
  ];
  return <PairsPanel title={t('line.speed')} rows={rows} />;
}

function SourceCounts({ station }: { readonly station: StationView }) {
  const { t, language } = useTexts();
  const { source } = station;
  const names = ['captured', 'dropped', 'late', 'repeated', 'unreadable', 'recoveries'] as const;
  const rows = names.map((name): [string, string] => [t(`line.${name}`), formatNumber(source[name], language)]);
  return <PairsPanel title={`${t('line.source')} ${source.name}`} rows={rows} />;
}

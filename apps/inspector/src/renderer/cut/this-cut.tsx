// The cut that was chosen: what it takes by the prediction, and what was measured of it on this station.
import type { CutRow, CutState } from '@kerf/bridge';
import { useTexts } from '../i18n/messages.tsx';
import { Breakable } from '../shared/breakable.tsx';
import { formatBytes, formatMs, formatNumber, formatShare } from '../shared/format.ts';
import { type Pair, Pairs } from '../shared/pairs-panel.tsx';
import { codecName, rowName } from './cut-names.ts';
import { StageBar } from './stage-bar.tsx';
import { measuredOf } from './use-cut.ts';

interface Props {
  readonly row: CutRow;
  readonly state: CutState;
  /** Nodes of the whole model. */
  readonly nodes: number;
  readonly isChoice: boolean;
  readonly isNow: boolean;
}

export function ThisCut({ row, state, nodes, isChoice, isNow }: Props) {
  const { t, language } = useTexts();
  const isHere = row.placement === 'edge';
  const pairs: Pair[] = [
    [t('cut.nodes'), t('cut.nodesOf', { head: row.headNodes, nodes })],
    [t('cut.head'), formatMs(row.headMs, language)],
    [t('cut.tail'), isHere ? '–' : formatMs(row.tailMs, language)],
    [t('cut.sent'), isHere ? '–' : `${formatBytes(row.uplinkBytes, language)} (${codecName(row.codec, t)})`],
    ...(isHere || row.lossPoints === 0
      ? []
      : [
          [
            t('cut.loss'),
            row.lossPoints === null
              ? t('cut.loss.unknown')
              : t('cut.maxLoss.points', { points: formatNumber(row.lossPoints, language, 2) }),
          ] as const,
        ]),
    [t('cut.onLink'), isHere ? '–' : formatMs(row.uplinkMs + row.roundTripMs + row.downlinkMs, language)],
    [t('cut.p99'), formatMs(row.p99Ms, language)],
  ];
  return (
    <section className="panel cut-this" aria-label={t('cut.this')}>
      <h2>
        {t('cut.this')}{' '}
        <span className="cut-name">
          <Breakable text={rowName(row, t)} />
        </span>
      </h2>
      <p className="cut-tags">
        {isChoice && <span className="tag">{t('cut.tag.best')}</span>}
        {isNow && <span className="tag">{t('cut.tag.now')}</span>}
        {row.fusion !== null && <span className="tag">{t('cut.tag.fusion', pairOf(row.fusion))}</span>}
      </p>
      <StageBar row={row} mostMs={row.latencyMs} />
      <Measurement row={row} state={state} />
      <Pairs rows={pairs} />
    </section>
  );
}

/** Prediction beside measurement. */
function Measurement({ row, state }: { readonly row: CutRow; readonly state: CutState }) {
  const { t, language } = useTexts();
  const measured = measuredOf(row, state);
  const ms = measured?.ms ?? null;
  const error = measured?.errorMs ?? null;
  const about = error === null ? '' : ` ± ${formatNumber(error, language, error < 10 ? 1 : 0)}`;
  const predicted = formatMs(row.latencyMs, language);
  return (
    <dl className="cut-compare">
      <div>
        <dt>{t('cut.predicted')}</dt>
        <dd>{predicted}</dd>
      </div>
      <div>
        <dt>{t(measured?.isMeasured === false ? 'cut.estimated' : 'cut.measured')}</dt>
        <dd>{ms === null ? t('cut.notMeasured') : `${formatNumber(ms, language, ms < 10 ? 1 : 0)}${about} ms`}</dd>
        {measured !== null && measured.frames > 0 && (
          <dd className="note">{t('cut.frames', { count: measured.frames })}</dd>
        )}
      </div>
      {ms !== null && measured?.isMeasured === true && (
        <div>
          <dt>{t('cut.off')}</dt>
          <dd>{`${ms >= row.latencyMs ? '+' : '−'}${formatShare(Math.abs(ms / row.latencyMs - 1), language)}`}</dd>
        </div>
      )}
    </dl>
  );
}

/** `Conv and Relu` -> its two operators. */
function pairOf(fusion: string): { readonly first: string; readonly second: string } {
  const [first = '', second = ''] = fusion.split(' and ');
  return { first, second };
}

// Where the station's frames ran, against the network as it was: a chart, and every switch with its reason.
import type { CutHistory, CutRow, CutState } from '@kerf/bridge';
import { useEffect } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { Breakable } from '../shared/breakable.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { formatMs, formatRate, formatTime } from '../shared/format.ts';
import { TableHead } from '../shared/table-head.tsx';
import { useCall } from '../shared/use-call.ts';
import { routeName } from './cut-names.ts';
import { isNetworkKnown } from './network-chart.ts';
import { NetworkFigure } from './network-figure.tsx';
import { switchText } from './switch-text.ts';

const REFRESH_MS = 5_000;
/** Newest first; more are not of interest at the line. */
const MOST_ROWS = 50;

export function SwitchHistory({ state, rows }: { readonly state: CutState; readonly rows: readonly CutRow[] }) {
  const { t } = useTexts();
  const { value: history, fault, again } = useCall('cut.history', {});
  useEffect(() => {
    const timer = setInterval(again, REFRESH_MS);
    return () => clearInterval(timer);
  }, [again, state.route]);
  return (
    <section className="panel cut-history" aria-label={t('cut.history')}>
      <h2>{t('cut.history')}</h2>
      {state.model !== 'chain' ? (
        <p className="note">{t('cut.history.oneWay')}</p>
      ) : history === null ? (
        fault === null ? (
          <p aria-busy="true">…</p>
        ) : (
          <FaultText fault={fault} />
        )
      ) : (
        <>
          {isNetworkKnown(history) ? (
            <NetworkFigure history={history} rows={rows} />
          ) : (
            <p className="note">{t('cut.history.noNetwork')}</p>
          )}
          <Switches history={history} rows={rows} />
        </>
      )}
    </section>
  );
}

function Switches({ history, rows }: { readonly history: CutHistory; readonly rows: readonly CutRow[] }) {
  const { t, language } = useTexts();
  if (history.switches.length === 0) return <p>{t('cut.history.none')}</p>;
  const or = (value: number | null, format: (known: number) => string): string =>
    value === null ? '–' : format(value);
  return (
    <div className="wide">
      <table className="history words">
        <TableHead
          numbersFrom={3}
          columns={[
            t('thresholds.at'),
            t('cut.history.move'),
            t('cut.history.cause'),
            t('cut.history.gain'),
            t('cut.uplinkBitsPerSecond'),
            t('cut.roundTripMs'),
          ]}
        />
        <tbody>
          {history.switches
            .slice(-MOST_ROWS)
            .reverse()
            .map((change) => {
              const { wallMs, from, to, cause, fromMs, toMs, uplinkBitsPerSecond, roundTripMs } = change;
              const ms = (value: number | null): string => or(value, (known) => formatMs(known, language));
              return (
                <tr key={`${wallMs} ${to}`}>
                  <td>{formatTime(wallMs, language)}</td>
                  <td>
                    <Breakable
                      text={t('cut.history.fromTo', { from: routeName(from, rows, t), to: routeName(to, rows, t) })}
                    />
                  </td>
                  <td>
                    <details>
                      <summary>{t(`cut.cause.${cause}`)}</summary>
                      {switchText(change, rows, t, language)}
                    </details>
                  </td>
                  <td className="row-number">{`${ms(fromMs)} → ${ms(toMs)}`}</td>
                  <td className="row-number">{or(uplinkBitsPerSecond, (value) => formatRate(value, language))}</td>
                  <td className="row-number">{ms(roundTripMs)}</td>
                </tr>
              );
            })}
        </tbody>
      </table>
    </div>
  );
}

// Where the station's frames ran, against the network as it was: a chart, and every switch with its reason.
import type { CutHistory, CutRow, CutState } from '@kerf/bridge';
import { useEffect } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { formatMs, formatRate, formatTime } from '../shared/format.ts';
import { useCall } from '../shared/use-call.ts';
import { routeName } from './cut-names.ts';
import { chartOf, HEIGHT, WIDTH } from './network-chart.ts';
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
          <Chart history={history} rows={rows} />
          <Switches history={history} rows={rows} />
        </>
      )}
    </section>
  );
}

function Chart({ history, rows }: { readonly history: CutHistory; readonly rows: readonly CutRow[] }) {
  const { t, language } = useTexts();
  const { uplink, roundTrip, bands, marks, uplinkRange, roundTripRange } = chartOf(history);
  const newest = history.samples.at(-1);
  if (uplink === '' && roundTrip === '') return <p className="note">{t('cut.history.noNetwork')}</p>;
  const range = (values: readonly [number, number] | null, format: (value: number) => string): string =>
    values === null ? '–' : `${format(values[0])} – ${format(values[1])}`;
  return (
    <figure>
      <svg className="network-chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={t('cut.history.chart')}>
        {bands.map(({ x, width, route }) => (
          <g key={x}>
            <rect
              className="band"
              data-odd={bands.findIndex((band) => band.route === route) % 2}
              x={x}
              y={0}
              width={width}
              height={HEIGHT}
            />
            {width > 60 && (
              <text x={x + 6} y={16}>
                {routeName(route, rows, t)}
              </text>
            )}
          </g>
        ))}
        <path className="chart-uplink" d={uplink} />
        <path className="chart-round-trip" d={roundTrip} />
        {marks.map((x) => (
          <path key={x} className="chart-switch" d={`M${x} 0V${HEIGHT}`} />
        ))}
      </svg>
      <figcaption className="chart-legend">
        <span className="key-uplink">{t('cut.uplinkBitsPerSecond')}</span>{' '}
        {range(uplinkRange, (value) => formatRate(value, language))}
        {' · '}
        <span className="key-round-trip">{t('cut.roundTripMs')}</span>{' '}
        {range(roundTripRange, (value) => formatMs(value, language))}
        {newest !== undefined && ` · ${t('cut.history.until', { time: formatTime(newest.wallMs, language) })}`}
      </figcaption>
    </figure>
  );
}

function Switches({ history, rows }: { readonly history: CutHistory; readonly rows: readonly CutRow[] }) {
  const { t, language } = useTexts();
  if (history.switches.length === 0) return <p>{t('cut.history.none')}</p>;
  const or = (value: number | null, format: (known: number) => string): string =>
    value === null ? '–' : format(value);
  return (
    <div className="wide">
      <table className="history">
        <thead>
          <tr>
            <th scope="col">{t('thresholds.at')}</th>
            <th scope="col">{t('cut.history.move')}</th>
            <th scope="col">{t('cut.history.cause')}</th>
            <th scope="col">{t('cut.history.gain')}</th>
            <th scope="col">{t('cut.uplinkBitsPerSecond')}</th>
            <th scope="col">{t('cut.roundTripMs')}</th>
          </tr>
        </thead>
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
                  <td>{t('cut.history.fromTo', { from: routeName(from, rows, t), to: routeName(to, rows, t) })}</td>
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

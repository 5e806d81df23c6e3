// The network as time went by, with what it was at the moment that a pointer or the arrow keys choose.
import type { CutHistory, CutRow } from '@kerf/bridge';
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { formatMs, formatRate, formatTime } from '../shared/format.ts';
import { useWidth } from '../shared/use-width.ts';
import { routeName } from './cut-names.ts';
import { chartOf } from './network-chart.ts';
import { NetworkPlot } from './network-plot.ts';

/** Looks that one press of a key goes past. */
const STEPS: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  PageUp: -10,
  PageDown: 10,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

export function NetworkFigure({ history, rows }: { readonly history: CutHistory; readonly rows: readonly CutRow[] }) {
  const { t, language } = useTexts();
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<NetworkPlot | null>(null);
  const widthPx = useWidth(frame);
  const [chosen, setChosen] = useState<number | null>(null);
  const { samples } = history;
  const shown = useRef({ history, rows });
  shown.current = { history, rows };

  const isWide = widthPx > 0;
  useLayoutEffect(() => {
    const { current } = frame;
    if (current === null || !isWide) return;
    const texts = {
      time: (ms: number) => formatTime(ms, language),
      rate: (value: number) => formatRate(value, language),
      span: (ms: number) => formatMs(ms, language),
      route: (name: string) => routeName(name, shown.current.rows, t),
    };
    const made = new NetworkPlot(current, chartOf(shown.current.history), current.clientWidth, texts, setChosen);
    plot.current = made;
    return () => {
      plot.current = null;
      made.close();
    };
  }, [language, t, isWide]);
  useEffect(() => plot.current?.setWidth(frame.current?.clientWidth ?? widthPx), [widthPx]);
  useEffect(() => plot.current?.show(chartOf(history)), [history]);

  const last = samples.length - 1;
  const index = Math.min(chosen ?? last, last);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    plot.current?.moveCursor(Math.max(0, Math.min(index + step, last)));
  };
  const sample = samples[index];
  if (sample === undefined) return null;
  const { wallMs, uplinkBitsPerSecond, roundTripMs, route } = sample;
  const values = [
    formatTime(wallMs, language),
    uplinkBitsPerSecond === null ? '–' : formatRate(uplinkBitsPerSecond, language),
    roundTripMs === null ? '–' : formatMs(roundTripMs, language),
    ...(route === null ? [] : [routeName(route, rows, t)]),
  ];
  return (
    <figure>
      <div
        ref={frame}
        className="network-chart"
        role="slider"
        tabIndex={0}
        aria-label={t('cut.history.chart')}
        aria-valuemin={0}
        aria-valuemax={last}
        aria-valuenow={index}
        aria-valuetext={values.join(', ')}
        onKeyDown={onKeyDown}
      />
      <figcaption className="chart-legend">
        {values[0]}
        {' · '}
        <span className="key-uplink">{t('cut.uplinkBitsPerSecond')}</span> {values[1]}
        {' · '}
        <span className="key-round-trip">{t('cut.roundTripMs')}</span> {values[2]}
        {values[3] !== undefined && ` · ${values[3]}`}
      </figcaption>
    </figure>
  );
}

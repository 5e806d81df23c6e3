// Sliders for the network and the device's speed: the question that the planner is asked.
import { useTexts } from '../i18n/messages.tsx';
import { formatMs, formatNumber, formatRate } from '../shared/format.ts';
import type { Measured, Question } from './use-cut.ts';

interface Props {
  readonly question: Question;
  /** As frames see the network now; null where nothing is known. */
  readonly measured: Measured | null;
  /** Whether there is anything that loses accuracy. */
  readonly hasLossy: boolean;
  readonly onChange: (question: Question) => void;
}

/** Ends of the sliders: what networks and devices are like, within what may be asked. */
const SPANS = {
  uplinkBitsPerSecond: [1e5, 1e9],
  roundTripMs: [1, 500],
  edgeSpeed: [1 / 32, 8],
} as const satisfies Partial<Record<keyof Question, readonly [number, number]>>;

/** Points of accuracy that may be lost; null for any. */
const LOSSES = [0, 0.2, 0.5, 1, 2, null] as const;

export function WhatIf({ question, measured, hasLossy, onChange }: Props) {
  const { t, language } = useTexts();
  const slider = (name: keyof typeof SPANS, text: string) => (
    <Slider
      label={t(`cut.${name}`)}
      text={text}
      value={question[name]}
      span={SPANS[name]}
      onChange={(value) => onChange({ ...question, [name]: value })}
    />
  );
  return (
    <section className="panel cut-what-if" aria-label={t('cut.whatIf')}>
      <h2>{t('cut.whatIf')}</h2>
      {slider('uplinkBitsPerSecond', formatRate(question.uplinkBitsPerSecond, language))}
      {slider('roundTripMs', formatMs(question.roundTripMs, language))}
      {slider('edgeSpeed', `${formatNumber(question.edgeSpeed, language, question.edgeSpeed < 1 ? 2 : 1)} ×`)}
      {hasLossy && (
        <label className="cut-loss">
          {t('cut.maxLoss')}
          <select
            value={LOSSES.findIndex((points) => points === question.maxLoss)}
            onChange={({ target }) => onChange({ ...question, maxLoss: LOSSES[Number(target.value)] ?? null })}
          >
            {LOSSES.map((points, at) => (
              <option key={points} value={at}>
                {points === null
                  ? t('cut.maxLoss.any')
                  : t('cut.maxLoss.points', { points: formatNumber(points, language, points % 1 === 0 ? 0 : 1) })}
              </option>
            ))}
          </select>
        </label>
      )}
      {measured === null ? (
        <p className="note">{t('cut.noNetwork')}</p>
      ) : (
        <button type="button" onClick={() => onChange({ ...question, ...measured })}>
          {t('cut.asMeasured', {
            uplink: formatRate(measured.uplinkBitsPerSecond, language),
            roundTrip: formatMs(measured.roundTripMs, language),
          })}
        </button>
      )}
    </section>
  );
}

interface SliderProps {
  readonly label: string;
  readonly text: string;
  readonly value: number;
  readonly span: readonly [number, number];
  readonly onChange: (value: number) => void;
}

/** Logarithmic: a step is the same share everywhere. */
const STEPS = 200;

function Slider({ label, text, value, span: [least, most], onChange }: SliderProps) {
  const ratio = most / least;
  const at = Math.round((Math.log(value / least) / Math.log(ratio)) * STEPS);
  return (
    <label className="cut-slider">
      <span>{label}</span>
      <span className="cut-slider-value">{text}</span>
      <input
        type="range"
        min={0}
        max={STEPS}
        value={Math.max(0, Math.min(at, STEPS))}
        aria-valuetext={text}
        onChange={({ target }) => onChange(rounded(least * ratio ** (target.valueAsNumber / STEPS)))}
      />
    </label>
  );
}

/** Three digits: what is shown is what is asked. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

// Work of the station that somebody waits for: how far it is, how long it has taken so far, and the way to stop it.
import { useEffect, useState } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { formatNumber } from './format.ts';

interface Props {
  readonly text: string;
  /** How long it takes; where nobody knows, the bar says only that it goes on. */
  readonly budgetMs?: number;
  readonly onStop: () => void;
}

export function Waiting({ text, budgetMs, onStop }: Props) {
  const { t, language } = useTexts();
  const elapsedMs = useElapsed();
  return (
    <div className="waiting">
      <p role="status">{text}</p>
      {budgetMs === undefined ? (
        <progress aria-label={text} />
      ) : (
        <progress aria-label={text} max={budgetMs} value={Math.min(elapsedMs, budgetMs)} />
      )}
      <span className="row-number">{t('waiting.elapsed', { seconds: formatNumber(elapsedMs / 1_000, language) })}</span>
      <button type="button" onClick={onStop}>
        {t('waiting.stop')}
      </button>
    </div>
  );
}

function useElapsed(): number {
  const [startMs] = useState(() => performance.now());
  const [nowMs, setNow] = useState(startMs);
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 250);
    return () => clearInterval(timer);
  }, []);
  return nowMs - startMs;
}

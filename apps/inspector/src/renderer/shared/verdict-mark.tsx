// A verdict as shape, word and colour: never colour alone.
import type { Verdict } from '@kerf/edge-runtime';
import { useTexts } from '../i18n/messages.tsx';

/** One shape each, so that they differ in black and white: circle, diamond, octagon, dashed square, triangle. */
const SHAPES: Readonly<Record<Verdict, string>> = {
  PASS: 'M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20zM10.6 16.4l-4-4 1.6-1.6 2.4 2.4 5.2-5.2 1.6 1.6z',
  REVIEW: 'M12 1l11 11-11 11L1 12zM11 6h2v8h-2zM11 16h2v2h-2z',
  NG: 'M7.5 1h9L23 7.5v9L16.5 23h-9L1 16.5v-9zM8.6 7L7 8.6l3.4 3.4L7 15.4 8.6 17l3.4-3.4 3.4 3.4 1.6-1.6-3.4-3.4L17 8.6 15.4 7 12 10.4z',
  NO_READ: 'M2 2h20v20H2zM5 5v14h14V5zM7 11h10v2H7z',
  ERROR: 'M12 1l11.5 21H.5zM11 8h2v7h-2zM11 17h2v2h-2z',
};

export function VerdictMark({ verdict }: { readonly verdict: Verdict }) {
  return (
    <svg className="mark" viewBox="0 0 24 24" aria-hidden="true" data-verdict={verdict}>
      <path fillRule="evenodd" d={SHAPES[verdict]} />
    </svg>
  );
}

/** Mark and word in one line. */
export function VerdictLabel({ verdict }: { readonly verdict: Verdict }) {
  const { t } = useTexts();
  return (
    <span className="verdict-label" data-verdict={verdict}>
      <VerdictMark verdict={verdict} />
      {t(`verdict.${verdict}`)}
    </span>
  );
}

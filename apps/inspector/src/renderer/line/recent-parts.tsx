// The last parts as a strip of marks; each opens its reason.
import type { ResultRecord } from '@kerf/edge-runtime';
import { memo } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { VerdictMark } from '../shared/verdict-mark.tsx';

interface Props {
  /** Newest first. */
  readonly records: readonly ResultRecord[];
  readonly onChoose: (resultId: string) => void;
}

export function RecentParts({ records, onChoose }: Props) {
  const { t } = useTexts();
  if (records.length === 0) return null;
  return (
    <section className="recent" aria-label={t('line.recent')}>
      <h2>{t('line.recent')}</h2>
      <ol>
        {records.map((record) => (
          <RecentPart key={record.resultId} record={record} onChoose={onChoose} />
        ))}
      </ol>
    </section>
  );
}

interface PartProps {
  readonly record: ResultRecord;
  readonly onChoose: (resultId: string) => void;
}

/** Drawn once: a record never changes, and there are many of them. */
const RecentPart = memo(function RecentPart({ record: { resultId, verdict, partId }, onChoose }: PartProps) {
  const { t } = useTexts();
  return (
    <li>
      <button
        type="button"
        className="recent-part"
        data-verdict={verdict}
        aria-label={t('verdict.say', { verdict: t(`verdict.${verdict}`), part: partId ?? t('line.noPartId') })}
        onClick={() => onChoose(resultId)}
      >
        <VerdictMark verdict={verdict} />
      </button>
    </li>
  );
});

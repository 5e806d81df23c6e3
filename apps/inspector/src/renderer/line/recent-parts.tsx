// The last parts as a strip of marks; each opens its reason.
import { useTexts } from '../i18n/messages.tsx';
import { useInspector, useStore } from '../shared/store.ts';
import { VerdictMark } from '../shared/verdict-mark.tsx';

export function RecentParts({ onChoose }: { readonly onChoose: (resultId: string) => void }) {
  const { t } = useTexts();
  const records = useStore(useInspector().recent);
  if (records.length === 0) return null;
  return (
    <section className="recent" aria-label={t('line.recent')}>
      <h2>{t('line.recent')}</h2>
      <ol>
        {records.map(({ resultId, verdict, partId }) => (
          <li key={resultId}>
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
        ))}
      </ol>
    </section>
  );
}

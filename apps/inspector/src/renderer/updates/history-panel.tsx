// What has happened to this device's releases, newest first.
import type { UpdatesView } from '@kerf/bridge';
import { useTexts } from '../i18n/messages.tsx';
import { causeText } from '../shared/cause-text.tsx';
import { formatMoment } from '../shared/format.ts';

export function HistoryPanel({ view: { history } }: { readonly view: UpdatesView }) {
  const { t, language } = useTexts();
  return (
    <section className="panel" aria-label={t('updates.history')}>
      <h3>{t('updates.history')}</h3>
      {history.length === 0 ? (
        <p className="empty">{t('updates.noHistory')}</p>
      ) : (
        <ol className="history-list" tabIndex={0} aria-label={t('updates.history')}>
          {history.map(({ at, kind, version, detail, cause }, index) => (
            <li key={`${at} ${index}`}>
              <time dateTime={at}>{formatMoment(at, language)}</time>
              <span>{t(`updates.kind.${kind}`, { version: version ?? '' })}</span>
              {detail !== '' && <span className="note">{causeText(cause, t, language) ?? detail}</span>}
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

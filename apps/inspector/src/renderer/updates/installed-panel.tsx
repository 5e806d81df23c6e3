// The release that runs, its probation, and the way back.
import type { UpdatesView } from '@kerf/bridge';
import { useTexts } from '../i18n/messages.tsx';
import { ActionForm } from '../shared/action-form.tsx';
import { joined, shortHash } from '../shared/format.ts';
import { type Pair, Pairs } from '../shared/pairs-panel.tsx';
import { useInspector } from '../shared/store.ts';
import { useRole } from '../shared/use-role.ts';

export function InstalledPanel({ view }: { readonly view: UpdatesView }) {
  const { t, language } = useTexts();
  const { bridge } = useInspector();
  const { may } = useRole();
  const { installed, previous, probation, job } = view;
  const rows: readonly Pair[] = [
    [t('updates.name'), view.name],
    [
      t('updates.installed'),
      installed === null
        ? t('updates.nothing')
        : `${t('updates.version', { version: installed.version })} (${shortHash(installed.id)})`,
    ],
    [
      t('updates.previous'),
      previous === null ? t('updates.nothing') : t('updates.version', { version: previous.version }),
    ],
    [t('updates.mirrors'), joined(view.mirrors, language)],
  ];
  return (
    <section className="panel" aria-label={t('updates.device')}>
      <h3>{t('updates.device')}</h3>
      <Pairs rows={rows} />
      {probation !== null && (
        <p className="fault">{t('updates.probation', { starts: probation.starts, most: probation.most })}</p>
      )}
      {may('engineer') && (
        <div className="toolbar">
          {probation !== null && (
            <ActionForm
              label={t('updates.confirm')}
              help={t('updates.version', { version: installed?.version ?? '' })}
              isPrimary
              isDisabled={job !== null}
              onDo={(note) => bridge.call('updates.confirm', { note })}
            />
          )}
          {previous !== null && (
            <ActionForm
              label={t('updates.rollBack')}
              help={t('updates.rollBackHelp', { version: previous.version })}
              isDisabled={job !== null}
              onDo={(note) => bridge.call('updates.rollBack', { note })}
            />
          )}
        </div>
      )}
    </section>
  );
}

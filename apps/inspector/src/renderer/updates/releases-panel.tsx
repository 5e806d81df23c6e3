// What could be installed: looked for, with notes and what fetching it costs.
import type { ReleaseView, UpdatesView } from '@kerf/bridge';
import { useId, useState } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { CauseText } from '../shared/cause-text.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { formatBytes, formatMoment, formatShare } from '../shared/format.ts';
import { SteadyButton } from '../shared/steady-button.tsx';
import { useInspector } from '../shared/store.ts';
import { useAction } from '../shared/use-action.ts';
import { useRole } from '../shared/use-role.ts';

export function ReleasesPanel({ view }: { readonly view: UpdatesView }) {
  const { t, language } = useTexts();
  const { releases, looked } = view;
  return (
    <section className="panel" aria-label={t('updates.available')}>
      <h3>{t('updates.available')}</h3>
      <LookForm view={view} />
      {looked === null ? (
        <p className="empty">{t('updates.notLooked')}</p>
      ) : (
        <p className="note">
          {looked.from === null
            ? t('updates.lookedAt', { time: formatMoment(looked.at, language) })
            : t('updates.lookedFrom', { time: formatMoment(looked.at, language), from: looked.from })}
        </p>
      )}
      {releases !== null && releases.length === 0 && <p className="empty">{t('updates.empty')}</p>}
      <ul className="releases">
        {(releases ?? []).map((release) => (
          <li key={release.id}>
            <Release release={release} view={view} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function LookForm({ view }: { readonly view: UpdatesView }) {
  const { t } = useTexts();
  const { bridge } = useInspector();
  const { may } = useRole();
  const { isBusy, fault, run } = useAction();
  const [from, setFrom] = useState('');
  const [drives, setDrives] = useState<readonly string[] | null>(null);
  const listId = useId();
  if (!may('operator')) return null;
  const find = (): void => {
    void run(async () => {
      const found = await bridge.call('updates.drives', {});
      setDrives(found);
      if (found[0] !== undefined) setFrom(found[0]);
    });
  };
  return (
    <form
      className="look"
      onSubmit={(event) => {
        event.preventDefault();
        void run(() => bridge.call('updates.look', { from: from.trim() === '' ? null : from.trim() }));
      }}
    >
      {may('engineer') && (
        <>
          <label>
            {t('updates.drive')}
            <input
              type="text"
              maxLength={1_024}
              list={listId}
              value={from}
              placeholder={t('updates.ownMirrors')}
              onChange={({ target }) => setFrom(target.value)}
            />
          </label>
          <datalist id={listId}>
            {(drives ?? []).map((drive) => (
              <option key={drive} value={drive} />
            ))}
          </datalist>
          <SteadyButton isOff={isBusy} onClick={find}>
            {t('updates.findDrives')}
          </SteadyButton>
        </>
      )}
      <SteadyButton type="submit" className="primary" isOff={isBusy || view.job !== null}>
        {t('updates.look')}
      </SteadyButton>
      {drives?.length === 0 && (
        <p className="note" role="status">
          {t('updates.noDrives')}
        </p>
      )}
      <FaultText fault={fault} />
    </form>
  );
}

function Release({ release, view }: { readonly release: ReleaseView; readonly view: UpdatesView }) {
  const { t, language } = useTexts();
  const { version, fetchBytes, fullBytes, rejected, rejectedCause } = release;
  const isRunning = release.id === view.installed?.id;
  const marks = [
    ...(isRunning ? [t('updates.runs')] : []),
    ...(release.id === view.staged?.id ? [t('updates.isStaged')] : []),
    ...(release.isOlder ? [t('updates.isOlder')] : []),
  ];
  const sizeText = (): string => {
    const [fetch, full] = [formatBytes(fetchBytes, language), formatBytes(fullBytes, language)];
    if (fetchBytes === 0) return t('updates.sizeHere', { full });
    if (fetchBytes >= fullBytes) return t('updates.size', { fetch, full });
    return t('updates.sizeShare', { fetch, full, share: formatShare(fetchBytes / fullBytes, language) });
  };
  return (
    <>
      <div className="release-head">
        <h4>{t('updates.version', { version })}</h4>
        {marks.map((mark) => (
          <span key={mark} className="mark-text">
            {mark}
          </span>
        ))}
      </div>
      <p className="note">
        {t('updates.published', { time: formatMoment(release.createdAt, language), by: release.createdBy })}
      </p>
      {release.notes !== '' && <p className="release-notes">{release.notes}</p>}
      {rejected !== null && (
        <CauseText
          cause={rejectedCause}
          reason={rejected}
          lead={t('updates.leftBecause')}
          otherLead={t('updates.rejected')}
        />
      )}
      <p>
        {sizeText()}
        {' · '}
        {t('updates.golden', { count: release.goldenSamples })}
      </p>
      {!isRunning && <FetchButton release={release} view={view} />}
    </>
  );
}

function FetchButton({ release, view }: { readonly release: ReleaseView; readonly view: UpdatesView }) {
  const { t } = useTexts();
  const { bridge } = useInspector();
  const { may } = useRole();
  const { isBusy, fault, run } = useAction();
  const { version, isOlder } = release;
  if (!may('engineer')) return null;
  if (view.probation !== null) return <p className="note">{t('updates.onTrial')}</p>;
  const isThere = release.id === view.staged?.id;
  const from = view.looked?.from ?? null;
  return (
    <>
      {view.previous !== null && !isThere && (
        <p className="note">{t('updates.fetchWarns', { version: view.previous.version })}</p>
      )}
      <SteadyButton
        type="button"
        isOff={isBusy || view.job !== null}
        onClick={() => void run(() => bridge.call('updates.fetch', { version, from, allowOlder: isOlder }))}
      >
        {t(isThere ? 'updates.fetchAgain' : 'updates.fetch', { version })}
      </SteadyButton>
      <FaultText fault={fault} />
    </>
  );
}

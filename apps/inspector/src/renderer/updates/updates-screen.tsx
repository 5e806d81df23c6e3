// Releases of this device, and rollouts of its fleet.
import type { UpdatesView } from '@kerf/bridge';
import { useState } from 'react';
import { FleetView } from '../fleet/fleet-view.tsx';
import { useTexts } from '../i18n/messages.tsx';
import { useInspector, useStore } from '../shared/store.ts';
import { Untold, WhyUntold } from '../shared/untold.tsx';
import { useRole } from '../shared/use-role.ts';
import { HistoryPanel } from './history-panel.tsx';
import { InstalledPanel } from './installed-panel.tsx';
import { JobBar } from './job-bar.tsx';
import { ReleasesPanel } from './releases-panel.tsx';
import { SettingsForm } from './settings-form.tsx';
import { StagedPanel } from './staged-panel.tsx';

const VIEWS = ['device', 'fleet'] as const;

export function UpdatesScreen() {
  const { t } = useTexts();
  const [shown, setShown] = useState<(typeof VIEWS)[number]>('device');
  return (
    <section className="updates" aria-label={t('updates.title')}>
      <div className="screen-head">
        <h2>{t('updates.title')}</h2>
        <div className="toolbar">
          {VIEWS.map((view) => (
            <button key={view} type="button" aria-pressed={shown === view} onClick={() => setShown(view)}>
              {t(`updates.${view}`)}
            </button>
          ))}
        </div>
      </div>
      {shown === 'device' ? <DeviceView /> : <FleetView />}
    </section>
  );
}

function DeviceView() {
  const { t } = useTexts();
  const { updates } = useInspector();
  const view = useStore(updates);
  if (view === undefined) return <Untold part="updates" />;
  if (view === null) return <p className="panel empty">{t('updates.none')}</p>;
  return <Device view={view} />;
}

function Device({ view }: { readonly view: UpdatesView }) {
  const { t } = useTexts();
  const { role, may } = useRole();
  return (
    <>
      <WhyUntold part="updates" />
      <JobBar view={view} />
      {!may('engineer') && <p className="note">{t('updates.role', { role: t(`role.${role}`) })}</p>}
      <div className="updates-columns">
        <div className="updates-main">
          {view.staged !== null && <StagedPanel view={view} staged={view.staged} />}
          <ReleasesPanel view={view} />
        </div>
        <div className="updates-side">
          <InstalledPanel view={view} />
          <SettingsForm key={JSON.stringify(view.settings)} view={view} />
          <HistoryPanel view={view} />
        </div>
      </div>
    </>
  );
}

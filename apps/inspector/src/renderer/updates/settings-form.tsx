// What the device does by itself, which version it is held at, and when it may change.
import type { UpdatesView } from '@kerf/bridge';
import { useId, useState } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { formatSpan } from '../shared/format.ts';
import { SteadyButton } from '../shared/steady-button.tsx';
import { useInspector } from '../shared/store.ts';
import { useAction } from '../shared/use-action.ts';
import { useRole } from '../shared/use-role.ts';

export function SettingsForm({ view }: { readonly view: UpdatesView }) {
  const { t, language } = useTexts();
  const { bridge } = useInspector();
  const { may } = useRole();
  const { isBusy, fault, run } = useAction();
  const { settings, everyMs, releases, installed } = view;
  const [automatic, setAutomatic] = useState(settings.automatic);
  const [pinned, setPinned] = useState(settings.pinned ?? '');
  const [window, setWindow] = useState(settings.window ?? '');
  const helpId = useId();
  const isFixed = !may('engineer');
  const known = new Set([installed?.version, settings.pinned, ...(releases ?? []).map(({ version }) => version)]);
  const versions = [...known].filter((version): version is string => typeof version === 'string');
  const idle =
    everyMs === null
      ? t('updates.automaticNever')
      : t('updates.automaticEvery', { span: formatSpan(everyMs, language) });
  const isChanged =
    automatic !== settings.automatic || pinned !== (settings.pinned ?? '') || window.trim() !== (settings.window ?? '');
  return (
    <form
      className="panel update-settings"
      aria-label={t('updates.settings')}
      onSubmit={(event) => {
        event.preventDefault();
        const wanted = { automatic, pinned: pinned === '' ? null : pinned, window: window.trim() || null };
        void run(() => bridge.call('updates.settings', wanted));
      }}
    >
      <h3>{t('updates.settings')}</h3>
      <label className="check">
        <input
          type="checkbox"
          checked={automatic}
          disabled={isFixed}
          onChange={({ target }) => setAutomatic(target.checked)}
        />
        {t('updates.automatic')}
      </label>
      <p className="help">{automatic ? idle : t('updates.automaticOff')}</p>
      <label>
        {t('updates.pin')}
        <select value={pinned} disabled={isFixed} onChange={({ target }) => setPinned(target.value)}>
          <option value="">{t('updates.pinNone')}</option>
          {versions.map((version) => (
            <option key={version} value={version}>
              {version}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t('updates.window')}
        <input
          type="text"
          maxLength={64}
          value={window}
          disabled={isFixed}
          aria-describedby={helpId}
          onChange={({ target }) => setWindow(target.value)}
        />
      </label>
      <p className="help" id={helpId}>
        {t('updates.windowHelp')}
      </p>
      {!isFixed && (
        <SteadyButton type="submit" isOff={isBusy || !isChanged}>
          {t('updates.save')}
        </SteadyButton>
      )}
      <FaultText fault={fault} />
    </form>
  );
}

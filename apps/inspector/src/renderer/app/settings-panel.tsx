// Language, theme and target size.
import { useEffect, useRef } from 'react';
import { LANGUAGES, type Language, useTexts } from '../i18n/messages.tsx';
import type { Store } from '../shared/observable.ts';
import { type Settings, THEMES, type Theme } from '../shared/settings.ts';
import { useStore } from '../shared/store.ts';

export function SettingsPanel({
  settings,
  onClose,
}: {
  readonly settings: Store<Settings>;
  readonly onClose: () => void;
}) {
  const { t } = useTexts();
  const current = useStore(settings);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const change = (part: Partial<Settings>): void => settings.set({ ...settings.get(), ...part });
  return (
    <dialog ref={dialog} className="settings" aria-label={t('settings.title')} onClose={onClose}>
      <h2>{t('settings.title')}</h2>
      <label>
        {t('settings.language')}
        <select value={current.language} onChange={({ target }) => change({ language: target.value as Language })}>
          {Object.entries(LANGUAGES).map(([code, name]) => (
            <option key={code} value={code} lang={code}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t('settings.theme')}
        <select value={current.theme} onChange={({ target }) => change({ theme: target.value as Theme })}>
          {THEMES.map((theme) => (
            <option key={theme} value={theme}>
              {t(`settings.theme.${theme}`)}
            </option>
          ))}
        </select>
      </label>
      <label className="check">
        <input type="checkbox" checked={current.gloves} onChange={({ target }) => change({ gloves: target.checked })} />
        {t('settings.gloves')}
      </label>
      <p className="help">{t('settings.keys')}</p>
      <button type="button" className="primary" onClick={() => dialog.current?.close()}>
        {t('settings.close')}
      </button>
    </dialog>
  );
}

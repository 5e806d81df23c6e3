// The button that opens the display settings, in the header of each page.
import { useTexts } from '../i18n/messages.tsx';

export function SettingsButton({ onOpen }: { readonly onOpen: () => void }) {
  const { t } = useTexts();
  return (
    <button type="button" className="settings-button" onClick={onOpen} aria-label={t('settings.title')}>
      <span aria-hidden="true">⚙</span>
    </button>
  );
}

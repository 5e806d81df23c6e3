// A place whose content is on its way. It says so only where that takes a while: what comes at once does not flicker.
import { useTexts } from '../i18n/messages.tsx';

export function Loading({ className = 'panel' }: { readonly className?: string }) {
  const { t } = useTexts();
  return (
    <section className={className} aria-busy="true">
      <p className="empty loading">{t('loading')}</p>
    </section>
  );
}

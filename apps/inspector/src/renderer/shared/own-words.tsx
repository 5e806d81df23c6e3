// What another program, or the station itself, has said in English -> the same, behind a label in the user's language.
import { useTexts } from '../i18n/messages.tsx';

export function OwnWords({ text }: { readonly text: string | null | undefined }) {
  const { t } = useTexts();
  if (text === null || text === undefined || text === '') return null;
  return (
    <span className="fault-detail">
      {t('fault.words')} <q lang="en">{text}</q>
    </span>
  );
}

// A part's id in a narrow place: what does not fit is left out of its beginning, for its end tells parts apart.
import { useTexts } from '../i18n/messages.tsx';

const END = 6;

export function PartName({ id }: { readonly id: string | null }) {
  const { t } = useTexts();
  const name = id ?? t('line.noPartId');
  const at = id === null || name.length <= 2 * END ? name.length : name.length - END;
  return (
    <span className="row-part part-name">
      <span>{name.slice(0, at)}</span>
      <span>{name.slice(at)}</span>
    </span>
  );
}

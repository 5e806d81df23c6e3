// What stands between the user and a live picture, over every screen.
import { useTexts } from '../i18n/messages.tsx';
import { useInspector, useStore } from '../shared/store.ts';
import { troubleOf } from '../shared/trouble.ts';

export function LinkBanner() {
  const { t } = useTexts();
  const inspector = useInspector();
  const trouble = troubleOf(useStore(inspector.link), useStore(inspector.station), t);
  if (trouble === null) return null;
  const { kind, text, detail } = trouble;
  return (
    <p className="banner" data-kind={kind} role={kind === 'alarm' ? 'alert' : 'status'}>
      {text}
      {detail !== null && <span className="fault-detail">{detail}</span>}
    </p>
  );
}

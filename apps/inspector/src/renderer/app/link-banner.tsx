// What stands between the user and a live picture, over every screen.
import { useTexts } from '../i18n/messages.tsx';
import { OwnWords } from '../shared/own-words.tsx';
import { useInspector, useStore } from '../shared/store.ts';
import { troublesOf } from '../shared/trouble.ts';

export function LinkBanner() {
  const texts = useTexts();
  const inspector = useInspector();
  const troubles = troublesOf(useStore(inspector.link), useStore(inspector.station), texts);
  if (troubles.length === 0) return null;
  return (
    <div>
      {troubles.map(({ kind, text, detail }) => (
        <p key={text} className="banner" data-kind={kind} role={kind === 'alarm' ? 'alert' : 'status'}>
          {text}
          <OwnWords text={detail} />
        </p>
      ))}
    </div>
  );
}

// What the station has not said yet: on its way, or why it does not come and a way to ask once more.
import type { FaultView } from '@kerf/bridge';
import { useTexts } from '../i18n/messages.tsx';
import { FaultText } from './fault-text.tsx';
import { Loading } from './loading.tsx';
import { type Told, useInspector, useStore } from './store.ts';

interface Props {
  readonly part: Told;
  readonly className?: string;
}

/** In the place of a part of the page. */
export function Untold({ part, className = 'panel' }: Props) {
  const inspector = useInspector();
  const isKnown = useStore(inspector.untold)[part] !== undefined;
  if (!isKnown) return <Loading className={className} />;
  return (
    <section className={className}>
      <WhyUntold part={part} />
    </section>
  );
}

/** Nothing where nothing went wrong. */
export function WhyUntold({ part }: { readonly part: Told }) {
  const inspector = useInspector();
  const fault = useStore(inspector.untold)[part] ?? null;
  return <Unanswered fault={fault} onAgain={() => void inspector.ask(part).then((isTold) => isTold && toContent())} />;
}

export function Unanswered({ fault, onAgain }: { readonly fault: FaultView | null; readonly onAgain: () => void }) {
  const { t } = useTexts();
  if (fault === null) return null;
  return (
    <>
      <FaultText fault={fault} />
      <button type="button" onClick={onAgain}>
        {t('fault.again')}
      </button>
    </>
  );
}

/** The button goes with the fault: the keyboard stays on the screen. */
function toContent(): void {
  document.getElementById('content')?.focus();
}

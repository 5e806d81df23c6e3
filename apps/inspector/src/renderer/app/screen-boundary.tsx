// A screen that cannot be drawn -> what happened and what to do: the line, the other screens and their keys go on.
import { messageOf } from '@kerf/protocol';
import { Component, type ReactNode } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { OwnWords } from '../shared/own-words.tsx';

/** Give it a key for each screen, so that another one begins anew. */
export class ScreenBoundary extends Component<{ readonly children: ReactNode }, { readonly words: string | null }> {
  override readonly state: { readonly words: string | null } = { words: null };

  static getDerivedStateFromError(error: unknown): { words: string } {
    return { words: messageOf(error) };
  }

  override render(): ReactNode {
    const { words } = this.state;
    if (words === null) return this.props.children;
    return <Broken words={words} onAgain={() => this.setState({ words: null })} />;
  }
}

function Broken({ words, onAgain }: { readonly words: string; readonly onAgain: () => void }) {
  const { t } = useTexts();
  return (
    <section className="panel">
      <p className="fault" role="alert">
        {t('fault.screen')} <OwnWords text={words} />
      </p>
      <button type="button" onClick={onAgain}>
        {t('fault.again')}
      </button>
    </section>
  );
}

// Several lines at a glance: a tile for each, in the order of their files. A number opens its line.
import { useEffect, useState } from 'react';
import { Display } from '../app/display.tsx';
import { SettingsButton } from '../app/settings-button.tsx';
import { SettingsPanel } from '../app/settings-panel.tsx';
import { useKeys } from '../app/use-keys.ts';
import { useTexts } from '../i18n/messages.tsx';
import type { Store } from '../shared/observable.ts';
import type { Settings } from '../shared/settings.ts';
import { LineTile } from './line-tile.tsx';
import type { WatchedLine } from './watch-line.ts';

interface Props {
  readonly lines: readonly WatchedLine[];
  readonly settings: Store<Settings>;
}

export function LinesPage({ lines, settings }: Props) {
  return (
    <Display settings={settings}>
      <Lines lines={lines} settings={settings} />
    </Display>
  );
}

function Lines({ lines, settings }: Props) {
  const { t } = useTexts();
  const [showSettings, setShowSettings] = useState(false);
  useEffect(() => {
    document.title = `${t('lines.title')} – ${t('app.title')}`;
  }, [t]);
  useKeys((key) => {
    const line = lines[Number(key) - 1];
    if (line !== undefined) location.href = line.href;
    else if (key === '?') setShowSettings((value) => !value);
  });
  return (
    <div className="app">
      <header className="header">
        <h1 className="lines-title">{t('lines.title')}</h1>
        <SettingsButton onOpen={() => setShowSettings(true)} />
      </header>
      <main className="lines">
        {lines.map((line, at) => (
          <LineTile key={line.href} line={line} number={at + 1} />
        ))}
      </main>
      {showSettings && <SettingsPanel settings={settings} onClose={() => setShowSettings(false)} />}
    </div>
  );
}

// The frame of all screens: navigation, the link's state, display settings, and the keys.
import { useEffect, useState } from 'react';
import { CutScreen } from '../cut/cut-screen.tsx';
import { HealthScreen } from '../health/health-screen.tsx';
import { useTexts } from '../i18n/messages.tsx';
import { LineScreen } from '../line/line-screen.tsx';
import { usePause } from '../line/use-pause.ts';
import { linesAbove } from '../lines/lines-above.ts';
import { ResultsScreen } from '../results/results-screen.tsx';
import { SamplesScreen } from '../samples/samples-screen.tsx';
import { SessionsScreen } from '../sessions/sessions-screen.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import type { Store } from '../shared/observable.ts';
import type { Settings } from '../shared/settings.ts';
import { type Inspector, InspectorProvider, useInspector, useStore } from '../shared/store.ts';
import { ThresholdsScreen } from '../thresholds/thresholds-screen.tsx';
import { UpdatesScreen } from '../updates/updates-screen.tsx';
import { Display } from './display.tsx';
import { keepFocus } from './keep-focus.ts';
import { LinkBanner } from './link-banner.tsx';
import { ScreenBoundary } from './screen-boundary.tsx';
import { ScreenTabs } from './screen-tabs.tsx';
import { SCREENS, type Screen } from './screens.ts';
import { SettingsButton } from './settings-button.tsx';
import { SettingsPanel } from './settings-panel.tsx';
import { useKeys } from './use-keys.ts';

export function App({ inspector, settings }: { readonly inspector: Inspector; readonly settings: Store<Settings> }) {
  return (
    <Display settings={settings}>
      <InspectorProvider value={inspector}>
        <Frame settings={settings} />
      </InspectorProvider>
    </Display>
  );
}

function Frame({ settings }: { readonly settings: Store<Settings> }) {
  const { t } = useTexts();
  const [screen, setScreen] = useScreen();
  const [showOverlay, setShowOverlay] = useState(true);
  const [showSettings, setShowSettings] = useState(false);
  const [chosen, setChosen] = useState<string | null>(null);
  const pausing = usePause();
  useEffect(() => keepFocus(document.body), []);
  useEffect(() => {
    document.title = `${t(`nav.${screen}`)} – ${t('app.title')}`;
  }, [screen, t]);
  useKeys((key) => {
    const at = Number(key);
    const show = (index: number): void => setScreen(SCREENS[(index + SCREENS.length) % SCREENS.length] ?? 'line');
    if (/^[1-9]$/.test(key) && at <= SCREENS.length) show(at - 1);
    else if (key === '[' || key === ']') show(SCREENS.indexOf(screen) + (key === ']' ? 1 : -1));
    else if (key === 'p' || key === 'P') pausing.toggle();
    else if (key === 'o' || key === 'O') setShowOverlay((value) => !value);
    else if (key === '?') setShowSettings((value) => !value);
    else if ((key === 'l' || key === 'L') && above !== null) location.href = above;
  });
  const choose = (resultId: string): void => {
    setChosen(resultId);
    setScreen('results');
  };
  return (
    <div className="app">
      <a className="skip" href="#content">
        {t('nav.skip')}
      </a>
      <Header screen={screen} onScreen={setScreen} onSettings={() => setShowSettings(true)} />
      <LinkBanner />
      <FaultText fault={pausing.fault} />
      <main id="content" tabIndex={-1}>
        <ScreenBoundary key={screen}>
          {screen === 'line' && <LineScreen showOverlay={showOverlay} onOverlay={setShowOverlay} onChoose={choose} />}
          {screen === 'results' && <ResultsScreen chosen={chosen} showOverlay={showOverlay} onChoose={setChosen} />}
          {screen === 'thresholds' && <ThresholdsScreen />}
          {screen === 'sessions' && <SessionsScreen showOverlay={showOverlay} />}
          {screen === 'samples' && <SamplesScreen showOverlay={showOverlay} />}
          {screen === 'cut' && <CutScreen />}
          {screen === 'updates' && <UpdatesScreen />}
          {screen === 'health' && <HealthScreen />}
        </ScreenBoundary>
      </main>
      {showSettings && <SettingsPanel settings={settings} onClose={() => setShowSettings(false)} />}
    </div>
  );
}

interface HeaderProps {
  readonly screen: Screen;
  readonly onScreen: (screen: Screen) => void;
  readonly onSettings: () => void;
}

function Header({ screen, onScreen, onSettings }: HeaderProps) {
  const { t } = useTexts();
  const link = useStore(useInspector().link);
  return (
    <header className="header">
      {above !== null && (
        <a className="lines-link" href={above} title={t('lines.key')}>
          ‹ {t('lines.title')}
        </a>
      )}
      <h1 title={link.kind === 'connected' ? link.hello.station : undefined}>
        {link.kind === 'connected' ? link.hello.station : t('app.title')}
      </h1>
      <ScreenTabs screen={screen} onScreen={onScreen} />
      <SettingsButton onOpen={onSettings} />
    </header>
  );
}

/** The page over several lines, of which this is one. */
const above = linesAbove(location);

/** The screen is in the address, so that a reload and the back button keep it. */
function useScreen(): [Screen, (screen: Screen) => void] {
  const read = (): Screen => SCREENS.find((name) => `#${name}` === location.hash) ?? 'line';
  const [screen, setScreen] = useState(read);
  useEffect(() => {
    const onHash = (): void => setScreen(read());
    addEventListener('hashchange', onHash);
    return () => removeEventListener('hashchange', onHash);
  }, []);
  return [
    screen,
    (name) => {
      location.hash = name;
      setScreen(name);
    },
  ];
}

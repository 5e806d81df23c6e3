// The frame of all screens: navigation, the link's state, display settings, and the keys.
import { useEffect, useState } from 'react';
import { CutScreen } from '../cut/cut-screen.tsx';
import { HealthScreen } from '../health/health-screen.tsx';
import { TextProvider, useTexts } from '../i18n/messages.tsx';
import { LineScreen } from '../line/line-screen.tsx';
import { togglePause } from '../line/pause-button.tsx';
import { ResultsScreen } from '../results/results-screen.tsx';
import { SamplesScreen } from '../samples/samples-screen.tsx';
import { SessionsScreen } from '../sessions/sessions-screen.tsx';
import type { Store } from '../shared/observable.ts';
import type { Settings } from '../shared/settings.ts';
import { type Inspector, InspectorProvider, useInspector, useStore } from '../shared/store.ts';
import { TargetContext, targetPx } from '../shared/target.ts';
import { useShownTheme } from '../shared/use-shown-theme.ts';
import { ThresholdsScreen } from '../thresholds/thresholds-screen.tsx';
import { UpdatesScreen } from '../updates/updates-screen.tsx';
import { LinkBanner } from './link-banner.tsx';
import { ScreenTabs } from './screen-tabs.tsx';
import { SCREENS, type Screen } from './screens.ts';
import { SettingsPanel } from './settings-panel.tsx';

export function App({ inspector, settings }: { readonly inspector: Inspector; readonly settings: Store<Settings> }) {
  const { language, theme: chosenTheme, gloves } = useStore(settings);
  const theme = useShownTheme(chosenTheme);
  useEffect(() => {
    const root = document.documentElement;
    root.lang = language === 'zh' ? 'zh-Hans' : 'en';
    root.dataset['theme'] = theme;
    root.dataset['gloves'] = String(gloves);
  }, [language, theme, gloves]);
  return (
    <TextProvider language={language}>
      <InspectorProvider value={inspector}>
        <TargetContext.Provider value={targetPx(gloves)}>
          <Frame settings={settings} />
        </TargetContext.Provider>
      </InspectorProvider>
    </TextProvider>
  );
}

function Frame({ settings }: { readonly settings: Store<Settings> }) {
  const { t } = useTexts();
  const inspector = useInspector();
  const [screen, setScreen] = useScreen();
  const [showOverlay, setShowOverlay] = useState(true);
  const [showSettings, setShowSettings] = useState(false);
  const [chosen, setChosen] = useState<string | null>(null);
  useEffect(() => {
    document.title = `${t(`nav.${screen}`)} – ${t('app.title')}`;
  }, [screen, t]);
  useKeys({
    screen: (index) => setScreen(SCREENS[(index + SCREENS.length) % SCREENS.length] ?? 'line'),
    current: () => SCREENS.indexOf(screen),
    pause: () => void togglePause(inspector).catch(() => {}),
    overlay: () => setShowOverlay((value) => !value),
    settings: () => setShowSettings((value) => !value),
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
      <main id="content" tabIndex={-1}>
        {screen === 'line' && <LineScreen showOverlay={showOverlay} onOverlay={setShowOverlay} onChoose={choose} />}
        {screen === 'results' && <ResultsScreen chosen={chosen} showOverlay={showOverlay} onChoose={setChosen} />}
        {screen === 'thresholds' && <ThresholdsScreen />}
        {screen === 'sessions' && <SessionsScreen showOverlay={showOverlay} />}
        {screen === 'samples' && <SamplesScreen showOverlay={showOverlay} />}
        {screen === 'cut' && <CutScreen />}
        {screen === 'updates' && <UpdatesScreen />}
        {screen === 'health' && <HealthScreen />}
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
      <h1 title={link.kind === 'connected' ? link.hello.station : undefined}>
        {link.kind === 'connected' ? link.hello.station : t('app.title')}
      </h1>
      <ScreenTabs screen={screen} onScreen={onScreen} />
      <button type="button" className="settings-button" onClick={onSettings} aria-label={t('settings.title')}>
        <span aria-hidden="true">⚙</span>
      </button>
    </header>
  );
}

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

interface Keys {
  screen(index: number): void;
  current(): number;
  pause(): void;
  overlay(): void;
  settings(): void;
}

function useKeys(keys: Keys): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) return;
      const at = Number(event.key);
      if (/^[1-9]$/.test(event.key) && at <= SCREENS.length) keys.screen(at - 1);
      else if (event.key === '[' || event.key === ']') keys.screen(keys.current() + (event.key === ']' ? 1 : -1));
      else if (event.key === 'p' || event.key === 'P') keys.pause();
      else if (event.key === 'o' || event.key === 'O') keys.overlay();
      else if (event.key === '?') keys.settings();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });
}

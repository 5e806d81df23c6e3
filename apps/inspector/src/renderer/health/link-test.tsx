// The link to the cloud, measured when somebody asks.
import { useTexts } from '../i18n/messages.tsx';
import { formatMs, formatRate } from '../shared/format.ts';
import { Pairs } from '../shared/pairs-panel.tsx';
import { useInspector } from '../shared/store.ts';
import { ProbePanel } from './probe-panel.tsx';

/** As long as a station takes at most. */
const BUDGET_MS = 8_000;

export function LinkTest() {
  const { t, language } = useTexts();
  const { bridge } = useInspector();
  return (
    <ProbePanel
      title={t('health.link')}
      button={t('health.linkTest')}
      busy={t('health.linkBusy')}
      budgetMs={BUDGET_MS}
      idle={null}
      ask={() => bridge.call('health.link', {})}
      show={({ uplinkBitsPerSecond, downlinkBitsPerSecond, roundTripMs, jitterMs }) => (
        <Pairs
          rows={[
            [t('health.up'), formatRate(uplinkBitsPerSecond, language)],
            [t('health.down'), formatRate(downlinkBitsPerSecond, language)],
            [t('health.roundTrip'), formatMs(roundTripMs, language)],
            [t('health.jitter'), formatMs(jitterMs, language)],
          ]}
        />
      )}
    />
  );
}

// The model on its provider against the processor: the same answers, and how fast.
import type { SelfTestView } from '@kerf/bridge';
import { useTexts } from '../i18n/messages.tsx';
import { formatMs } from '../shared/format.ts';
import { type Pair, Pairs } from '../shared/pairs-panel.tsx';
import { useInspector, useStore } from '../shared/store.ts';
import { ProbePanel } from './probe-panel.tsx';

export function SelfTest() {
  const { t } = useTexts();
  const { bridge, station } = useInspector();
  const provider = useStore(station)?.provider ?? '';
  return (
    <ProbePanel
      title={t('health.selfTest')}
      button={t('health.selfTestRun')}
      busy={t('health.selfTestBusy', { provider })}
      idle={<p className="help">{t('health.selfTestHelp')}</p>}
      ask={() => bridge.call('health.selfTest', {})}
      show={(found) => <Found found={found} />}
    />
  );
}

function Found({ found }: { readonly found: SelfTestView }) {
  const { t, language } = useTexts();
  const { file, provider, providerMs, cpuMs, maxAbsDifference, isBitEqual, isEqual } = found;
  const good = isBitEqual ? t('health.selfTestBits') : t('health.selfTestGood');
  const cpu: Pair = [t('health.time', { provider: 'cpu' }), formatMs(cpuMs, language)];
  return (
    <>
      <p className={isEqual ? 'note' : 'fault'} role={isEqual ? 'status' : 'alert'}>
        {isEqual ? good : t('health.selfTestBad')}
      </p>
      <Pairs
        rows={[
          [t('health.file'), file],
          [t('health.time', { provider }), formatMs(providerMs, language)],
          ...(provider === 'cpu' ? [] : [cpu]),
          [t('health.difference'), maxAbsDifference === null ? t('health.apart') : maxAbsDifference.toPrecision(2)],
        ]}
      />
    </>
  );
}

// Which measurements the predictions rest on, and how to make better ones.
import { type CutProfile, type CutState, type FaultView, mayAct } from '@kerf/bridge';
import { useState } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { formatNumber } from '../shared/format.ts';
import { useInspector, useStore } from '../shared/store.ts';
import { faultOf } from '../shared/use-action.ts';
import { shellWord } from './cut-names.ts';

export function ProfilePanel({
  state,
  onState,
}: {
  readonly state: CutState;
  readonly onState: (state: CutState) => void;
}) {
  const { t } = useTexts();
  const { edge, cloud, missing, modelPath } = state;
  const profileOf = (profile: CutProfile | null, none: string): string =>
    profile === null
      ? none
      : t('cut.profile.of', {
          device: profile.device,
          processor: profile.processor,
          provider: profile.provider,
          date: profile.date.slice(0, 10),
        });
  return (
    <section className="panel cut-profiles" aria-label={t('cut.profiles')}>
      <h2>{t('cut.profiles')}</h2>
      {missing === 'model' ? (
        <p>{t('cut.missing.model')}</p>
      ) : (
        <dl className="cut-sources">
          <div>
            <dt>{t('cut.place.edge')}</dt>
            <dd>{profileOf(edge, t('cut.missing.profile'))}</dd>
          </div>
          <div>
            <dt>{t('cut.place.cloud')}</dt>
            <dd>{profileOf(cloud, t('cut.profile.noCloud'))}</dd>
          </div>
        </dl>
      )}
      {edge?.isOfThisDevice === false && <p className="note">{t('cut.profile.other')}</p>}
      <Measure state={state} onState={onState} />
      {missing !== 'model' && (
        <details>
          <summary>{t('cut.profile.how')}</summary>
          <pre
            tabIndex={0}
          >{`kerf profile ${shellWord(modelPath)} --out edge.profile.json\n\nprofiles: { edge: edge.profile.json, cloud: cloud.profile.json }`}</pre>
        </details>
      )}
    </section>
  );
}

function Measure({ state, onState }: { readonly state: CutState; readonly onState: (state: CutState) => void }) {
  const { t, language } = useTexts();
  const { bridge, link } = useInspector();
  const bridgeState = useStore(link);
  const [fault, setFault] = useState<FaultView | null>(null);
  const role = bridgeState.kind === 'connected' ? bridgeState.hello.role : 'viewer';
  const { measuring } = state;
  if (!state.canMeasure || !mayAct(role, 'engineer')) return null;
  const call = (name: 'cut.measure' | 'cut.cancelMeasure'): void => {
    setFault(null);
    bridge.call(name, {}).then(onState, (error: unknown) => setFault(faultOf(error)));
  };
  const failed = fault ?? state.measureFault;
  return (
    <>
      {measuring === null ? (
        <button
          type="button"
          className={state.missing === 'profile' ? 'primary' : ''}
          onClick={() => call('cut.measure')}
        >
          {t('cut.measure')}
        </button>
      ) : (
        <div className="cut-measuring" role="status">
          <progress
            max={measuring.budgetMs}
            value={Math.min(measuring.elapsedMs, measuring.budgetMs)}
            aria-label={t('cut.measuring')}
          />
          <p>
            {t('cut.measuringStep', {
              seconds: formatNumber(measuring.elapsedMs / 1_000, language),
              budget: formatNumber(measuring.budgetMs / 1_000, language),
            })}
          </p>
          <button type="button" onClick={() => call('cut.cancelMeasure')}>
            {t('cut.measureCancel')}
          </button>
        </div>
      )}
      <p className="note">{t('cut.measureHelp')}</p>
      <FaultText fault={failed} />
    </>
  );
}

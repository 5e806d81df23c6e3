// The cut that was chosen -> the button that moves every frame to it, or, where the station has one way only, what to do.
import { type CutRow, type CutState, type FaultView, mayAct } from '@kerf/bridge';
import { useState } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { Breakable } from '../shared/breakable.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { SteadyButton } from '../shared/steady-button.tsx';
import { useInspector, useStore } from '../shared/store.ts';
import { faultOf } from '../shared/use-action.ts';
import { atOption, routeName, rowName, shellWord } from './cut-names.ts';
import { refusalText } from './switch-text.ts';

interface Props {
  readonly row: CutRow;
  readonly rows: readonly CutRow[];
  readonly state: CutState;
  readonly isNow: boolean;
  readonly showState: (state: CutState) => void;
  readonly onChoose: (row: number) => void;
}

export function ApplyPanel({ row, rows, state, isNow, showState, onChoose }: Props) {
  const { t } = useTexts();
  return (
    <section className="panel cut-apply" aria-label={t('cut.apply.title')}>
      <h2>{t('cut.apply.title')}</h2>
      {state.model === 'chain' ? (
        <ChainApply row={row} rows={rows} state={state} showState={showState} onChoose={onChoose} />
      ) : isNow ? (
        <p>{t('cut.apply.already')}</p>
      ) : (
        <Steps row={row} state={state} />
      )}
    </section>
  );
}

function ChainApply({ row, rows, state, showState, onChoose }: Omit<Props, 'isNow'>) {
  const { t } = useTexts();
  const { bridge, link } = useInspector();
  const bridgeState = useStore(link);
  const [said, setSaid] = useState<'freed' | 'done' | 'conflict' | null>(null);
  const [fault, setFault] = useState<FaultView | null>(null);
  const role = bridgeState.kind === 'connected' ? bridgeState.hello.role : 'viewer';
  const own = rows.flatMap((each, at) => (each.route === null ? [] : [{ at, row: each }]));
  const apply = async (route: string | null): Promise<void> => {
    setSaid(null);
    setFault(null);
    try {
      showState(await bridge.call('cut.apply', { route, from: state.pinned }));
      setSaid(route === null ? 'freed' : 'done');
    } catch (error) {
      const failed = faultOf(error);
      if (failed.code === 'CONFLICT') setSaid('conflict');
      else setFault(failed);
    }
  };
  const isPinned = row.route !== null && state.pinned === row.route;
  return (
    <>
      <p>
        {state.pinned === null ? (
          t('cut.apply.automatic')
        ) : (
          <Breakable text={t('cut.apply.pinned', { route: routeName(state.pinned, rows, t) })} />
        )}
      </p>
      {row.route === null && (
        <>
          <p>{t('cut.apply.notInChain')}</p>
          <div className="toolbar">
            {own.map(({ at, row: each }) => (
              <button key={at} type="button" onClick={() => onChoose(at)}>
                <Breakable text={rowName(each, t)} />
              </button>
            ))}
          </div>
          <Steps row={row} state={state} />
        </>
      )}
      <Refused rows={rows} state={state} />
      {mayAct(role, 'engineer') ? (
        <div className="toolbar">
          {row.route !== null && (
            <SteadyButton className="primary" isOff={isPinned} onClick={() => void apply(row.route)}>
              {t('cut.apply.button')}
            </SteadyButton>
          )}
          {state.pinned !== null && (
            <button type="button" onClick={() => void apply(null)}>
              {t('cut.apply.free')}
            </button>
          )}
        </div>
      ) : (
        <p className="note">{t('cut.apply.role', { role: t(`role.${role}`) })}</p>
      )}
      {said !== null && (
        <p className={said === 'conflict' ? 'fault' : 'note'} role={said === 'conflict' ? 'alert' : 'status'}>
          {t(`cut.apply.${said}`)}
        </p>
      )}
      <FaultText fault={fault} />
    </>
  );
}

/** Ways that the chain has and the station may not take. */
function Refused({ rows, state: { routes } }: Pick<Props, 'rows' | 'state'>) {
  const { t, language } = useTexts();
  const refused = routes.flatMap(({ name, refusal }) => (refusal === null ? [] : [{ name, refusal }]));
  if (refused.length === 0) return null;
  return (
    <>
      <p>{t('cut.apply.refused')}</p>
      <ul>
        {refused.map(({ name, refusal }) => {
          const values = { route: routeName(name, rows, t), why: refusalText(refusal, t, language) };
          return <li key={name}>{t('cut.apply.refusedWay', values)}</li>;
        })}
      </ul>
    </>
  );
}

/** What somebody has to do where no button can. */
function Steps({ row, state }: { readonly row: CutRow; readonly state: CutState }) {
  const { t } = useTexts();
  const model = state.model === 'whole' ? state.modelPath : 'MODEL.onnx';
  const folder = `${(model.split(/[\\/]/).at(-1) ?? 'model').replace(/\.onnx$/i, '')}-chain`;
  const steps: { readonly text: string; readonly command: string | null }[] =
    row.placement === 'split'
      ? [
          {
            text: t('cut.step.chain'),
            command: `kerf chain ${shellWord(model)} --at ${atOption(row.crossing)} --out models/${shellWord(folder)}`,
          },
          { text: t('cut.step.serve'), command: 'kerf serve --models models' },
          {
            text: t('cut.step.station'),
            command: `model: { path: models/${folder}, source: ${JSON.stringify(model)} }\ncloud: { url: "wss://CLOUD:8443", model: ${folder} }`,
          },
          { text: t('cut.step.restart'), command: null },
        ]
      : row.placement === 'cloud'
        ? [
            { text: t('cut.step.serveWhole'), command: 'kerf serve --models models' },
            { text: t('cut.step.cloud'), command: 'cloud: { url: "wss://CLOUD:8443" }' },
            { text: t('cut.step.restart'), command: null },
          ]
        : [
            { text: t('cut.step.edge'), command: `model: { path: ${JSON.stringify(model)} }` },
            { text: t('cut.step.restart'), command: null },
          ];
  return (
    <>
      <p>{t('cut.apply.oneWay')}</p>
      <ol className="cut-steps">
        {steps.map(({ text, command }) => (
          <li key={text}>
            {text}
            {command !== null && <pre tabIndex={0}>{command}</pre>}
          </li>
        ))}
      </ol>
    </>
  );
}

// What this device alone and the cloud alone would have said of the part, and what each would have cost; run on demand.
import { type FaultView, mayAct, type WhyWays } from '@kerf/bridge';
import type { ResultRecord, Way } from '@kerf/edge-runtime';
import { useState } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { formatBytes, formatMs, formatScore } from '../shared/format.ts';
import { SteadyButton } from '../shared/steady-button.tsx';
import { useInspector, useStore } from '../shared/store.ts';
import { faultOf } from '../shared/use-action.ts';
import { VerdictLabel } from '../shared/verdict-mark.tsx';
import { Waiting } from '../shared/waiting.tsx';

export function WaysPanel({ record }: { readonly record: ResultRecord }) {
  const { t } = useTexts();
  const { bridge, link } = useInspector();
  const state = useStore(link);
  const [asked, setAsked] = useState<WhyWays | 'gone' | 'running' | 'stopped' | null>(null);
  const [fault, setFault] = useState<FaultView | null>(null);
  const isAllowed = state.kind === 'connected' && mayAct(state.hello.role, 'operator');
  const ask = (): void => {
    if (asked === 'running') return;
    setAsked('running');
    bridge.call('why.ways', { resultId: record.resultId }).then(
      (value) => {
        setFault(null);
        setAsked(value ?? 'gone');
      },
      (error: unknown) => {
        const failed = faultOf(error);
        const isStopped = failed.code === 'CANCELLED';
        setAsked(isStopped ? 'stopped' : null);
        setFault(isStopped ? null : failed);
      },
    );
  };
  return (
    <>
      <h3>{t('why.ways')}</h3>
      <SteadyButton isOff={!isAllowed || asked === 'running'} onClick={ask}>
        {t('why.askWays')}
      </SteadyButton>
      {asked === 'running' && (
        <Waiting text={t('why.looking')} onStop={() => void bridge.call('why.cancel', {}).catch(() => {})} />
      )}
      {asked === 'stopped' && (
        <p className="note" role="status">
          {t('waiting.stopped')}
        </p>
      )}
      <FaultText fault={fault} />
      {asked === 'gone' && <p className="empty">{t('why.gone')}</p>}
      {asked !== null && typeof asked !== 'string' && <Ways ways={asked.ways} record={record} isNear={asked.isNear} />}
    </>
  );
}

function Ways({ ways, record, isNear }: { readonly record: ResultRecord } & WhyWays) {
  const { t, language } = useTexts();
  return (
    <>
      <table className="history ways">
        <thead>
          <tr>
            <th scope="col">{t('line.route')}</th>
            <th scope="col">{t('results.verdict')}</th>
            <th scope="col" className="row-number">
              {t('results.took')}
            </th>
            <th scope="col" className="row-number">
              {t('why.bytes')}
            </th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">{t('why.asItRan', { placement: t(`placement.${record.placement}`) })}</th>
            <Verdict {...record} />
            <td className="row-number">{formatMs(record.totalMs, language)}</td>
            <Crossed {...record} />
          </tr>
          {ways.map((way) => (
            <tr key={way.way}>
              <th scope="row">{t(`why.way.${way.way}`)}</th>
              {way.kind === 'answered' ? (
                <>
                  <Verdict {...way} />
                  <td className="row-number">{formatMs(way.ms, language)}</td>
                  <Crossed {...way} />
                </>
              ) : (
                <td colSpan={3}>
                  {way.kind === 'impossible' ? t(`why.impossible.${way.reason}`) : <FaultText fault={way} />}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      <p className="note">{t('why.ways.help')}</p>
      {isNear && <p className="note">{t('why.near')}</p>}
    </>
  );
}

function Verdict({ verdict, score }: Pick<Extract<Way, { kind: 'answered' }>, 'verdict' | 'score'>) {
  const { language } = useTexts();
  return (
    <td>
      <span className="pair-side">
        <VerdictLabel verdict={verdict} />
        {score !== null && <span className="row-number">{formatScore(score, language)}</span>}
      </span>
    </td>
  );
}

/** Where the column is narrow, what came back stands below what was sent. */
function Crossed({ bytesUp, bytesDown }: Pick<ResultRecord, 'bytesUp' | 'bytesDown'>) {
  const { language } = useTexts();
  return (
    <td className="row-number crossed">
      <span>{formatBytes(bytesUp, language)} ↑</span> <span>{formatBytes(bytesDown, language)} ↓</span>
    </td>
  );
}

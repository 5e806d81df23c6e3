// The planner's answer -> "why this cut": the choice, what the others take, what would change it, and how sure that is.
import type { CutPlan, CutRow, CutState } from '@kerf/bridge';
import { type Translate, useTexts } from '../i18n/messages.tsx';
import { Breakable } from '../shared/breakable.tsx';
import { formatBytes, formatMs, formatRate } from '../shared/format.ts';
import { codecName, rowName } from './cut-names.ts';
import { StageBar, StageLegend } from './stage-bar.tsx';

interface Props {
  readonly plan: CutPlan;
  readonly state: CutState;
  readonly onChoose: (row: number) => void;
}

export function PlanCard({ plan, state, onChoose }: Props) {
  const { t, language } = useTexts();
  const { rows, changes, gapMs } = plan;
  const choice = rows[plan.choice];
  if (choice === undefined) return null;
  const rivals = [...new Set([plan.choice, plan.bestOf.edge, plan.bestOf.cloud, plan.bestOf.split])].flatMap((at) =>
    at === null ? [] : [{ at, row: rows[at] as CutRow }],
  );
  const mostMs = Math.max(...rivals.map(({ row }) => row.latencyMs));
  const runnerUp = plan.runnerUp === null ? undefined : rows[plan.runnerUp];
  return (
    <section className="panel cut-card" aria-label={t('cut.why')}>
      <h2>{t('cut.why')}</h2>
      <p className="cut-verdict">
        <Breakable
          text={verdict(
            choice,
            t,
            (ms) => formatMs(ms, language),
            (bytes) => formatBytes(bytes, language),
          )}
        />
      </p>
      <table className="cut-rivals">
        <caption className="visually-hidden">{t('cut.rivals')}</caption>
        <tbody>
          {rivals.map(({ at, row }) => (
            <tr key={at}>
              <th scope="row">
                <button type="button" className="link-button" onClick={() => onChoose(at)}>
                  <Breakable text={rowName(row, t)} />
                </button>
              </th>
              <td className="cut-bar">
                <StageBar row={row} mostMs={mostMs} />
              </td>
              <td className="row-number">{formatMs(row.latencyMs, language)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <StageLegend />
      <ul className="cut-reasons">
        {runnerUp !== undefined && (
          <li>
            <Breakable
              text={t('cut.runnerUp', {
                name: rowName(runnerUp, t),
                ms: formatMs(Math.max(0, runnerUp.latencyMs - choice.latencyMs), language),
              })}
            />
          </li>
        )}
        {changes.length === 0 ? (
          <li>{t('cut.noChange')}</li>
        ) : (
          changes.map(({ parameter, direction, value, becomes }) => (
            <li key={`${parameter} ${direction}`}>
              <Breakable
                text={t(`cut.change.${parameter}.${direction}`, {
                  value: parameter === 'roundTripMs' ? formatMs(value, language) : formatRate(value, language),
                  name: becomes === null ? t('cut.nothing') : rowName(rows[becomes] as CutRow, t),
                })}
              />
            </li>
          ))
        )}
        <li>{gapMs === 0 ? t('cut.proven') : t('cut.gap', { ms: formatMs(gapMs, language) })}</li>
        {doubts(plan, choice, state, t).map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </section>
  );
}

function verdict(row: CutRow, t: Translate, ms: (value: number) => string, bytes: (value: number) => string): string {
  const sent = { bytes: bytes(row.uplinkBytes), codec: codecName(row.codec, t) };
  return t(`cut.verdict.${row.placement}`, { name: rowName(row, t), ms: ms(row.latencyMs), ...sent });
}

/** What weakens the answer. */
function doubts(plan: CutPlan, choice: CutRow, state: CutState, t: Translate): string[] {
  const found: string[] = [];
  if (state.cloud === null) found.push(t('cut.doubt.cloud'));
  if (choice.source.edge === 'nodes' || choice.source.cloud === 'nodes') found.push(t('cut.doubt.calculated'));
  if (state.edge?.isOfThisDevice === false) found.push(t('cut.doubt.device', { device: state.edge.device }));
  if (plan.unpriced > 0) found.push(t('cut.doubt.unpriced', { count: plan.unpriced }));
  if (choice.p99Ms > plan.deadlineMs) found.push(t('cut.doubt.deadline', { ms: plan.deadlineMs }));
  return found;
}

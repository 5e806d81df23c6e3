// Where the model is cut and where it could be: the graph, every cut with its costs, "what if", why, and moving the cut.
import type { CutGraph, CutState } from '@kerf/bridge';
import { useState } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { useInspector, useStore } from '../shared/store.ts';
import { ApplyPanel } from './apply-panel.tsx';
import { CutTable } from './cut-table.tsx';
import { GraphView } from './graph/graph-view.tsx';
import { PlanCard } from './plan-card.tsx';
import { ProfilePanel } from './profile-panel.tsx';
import { SwitchHistory } from './switch-history.tsx';
import { ThisCut } from './this-cut.tsx';
import { currentRow, type Measured, type Question, rowKey, USUAL, useCutState, useGraph, usePlan } from './use-cut.ts';
import { WhatIf } from './what-if.tsx';

export function CutScreen() {
  const { t } = useTexts();
  const link = useStore(useInspector().link);
  const { value: state, fault, set } = useCutState();
  const { value: graph, fault: graphFault } = useGraph(state?.version ?? null);
  const wrong = fault ?? (graph === null ? graphFault : null);
  if (state === null || graph === null) {
    return (
      <section className="cut panel" aria-label={t('cut.title')} aria-busy={wrong === null}>
        {wrong !== null ? (
          <FaultText fault={wrong} />
        ) : (
          <p className="empty">{t(link.kind === 'connected' ? 'cut.opening' : 'cut.away')}</p>
        )}
      </section>
    );
  }
  return <Opened state={state} graph={graph} onState={set} />;
}

interface OpenedProps {
  readonly state: CutState;
  readonly graph: CutGraph;
  readonly onState: (state: CutState) => void;
}

function Opened({ state, graph, onState }: OpenedProps) {
  const { t } = useTexts();
  const measured = networkOf(state);
  const [asked, setAsked] = useState<Question | null>(null);
  // Until somebody moves a slider the question follows the network.
  const [first] = useState<Question>({ ...USUAL, ...measured });
  const question = asked ?? first;
  const { plan, fault, isBusy } = usePlan(question, state);
  const [key, setKey] = useState<string | null>(null);
  const rows = plan?.rows ?? [];
  const now = currentRow(rows, state);
  const found = key === null ? -1 : rows.findIndex((row) => rowKey(row) === key);
  const chosen = plan === null ? null : found >= 0 ? found : plan.choice;
  const row = chosen === null ? undefined : rows[chosen];
  const choose = (at: number): void => {
    const next = rows[at];
    if (next !== undefined) setKey(rowKey(next));
  };
  return (
    <div className="cut" aria-label={t('cut.title')}>
      <FaultText fault={fault} />
      <div className="cut-main">
        <div className="cut-side">
          <GraphView graph={graph} rows={rows} chosen={chosen} now={now} onChoose={choose} />
          {plan !== null && chosen !== null && (
            <CutTable plan={plan} state={state} chosen={chosen} now={now} onChoose={choose} />
          )}
          <SwitchHistory state={state} rows={rows} />
        </div>
        <div className="cut-side" aria-busy={isBusy}>
          {plan !== null && (
            <WhatIf question={question} measured={measured} hasLossy={state.hasLossy} onChange={setAsked} />
          )}
          {row !== undefined && chosen !== null && plan !== null && (
            <>
              <ThisCut
                row={row}
                state={state}
                nodes={graph.nodes.length}
                isChoice={chosen === plan.choice}
                isNow={chosen === now}
              />
              <PlanCard plan={plan} state={state} onChoose={choose} />
              <ApplyPanel
                key={rowKey(row)}
                row={row}
                rows={rows}
                state={state}
                isNow={chosen === now}
                showState={onState}
                onChoose={choose}
              />
            </>
          )}
          <ProfilePanel state={state} onState={onState} />
        </div>
      </div>
    </div>
  );
}

function networkOf({ uplinkBitsPerSecond, roundTripMs }: CutState): Measured | null {
  if (uplinkBitsPerSecond === null || roundTripMs === null) return null;
  const rounded = (value: number): number => Number(value.toPrecision(3));
  return { uplinkBitsPerSecond: rounded(uplinkBitsPerSecond), roundTripMs: rounded(roundTripMs) };
}

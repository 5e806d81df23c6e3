// Every legal cut with what it sends and takes, in the order of the model; only rows in sight are in the document.
import type { CutPlan, CutState } from '@kerf/bridge';
import { useTexts } from '../i18n/messages.tsx';
import { formatBytes, formatMs } from '../shared/format.ts';
import { RowList } from '../shared/row-list.tsx';
import { rowName } from './cut-names.ts';
import { measuredOf } from './use-cut.ts';

interface Props {
  readonly plan: CutPlan;
  readonly state: CutState;
  readonly chosen: number;
  readonly now: number | null;
  readonly onChoose: (row: number) => void;
}

/** A name above its numbers. */
const ROW_PX = 72;
const COLUMNS = ['sent', 'head', 'link', 'tail', 'predicted', 'measured'] as const;

export function CutTable({ plan, state, chosen, now, onChoose }: Props) {
  const { t, language } = useTexts();
  const { rows } = plan;
  const title = t('cut.table', { count: rows.length });
  return (
    <section className="panel cut-table" aria-label={title}>
      <h2>{title}</h2>
      <div className="cut-row cut-head" aria-hidden="true">
        {COLUMNS.map((name) => (
          <span key={name}>{t(`cut.column.${name}`)}</span>
        ))}
      </div>
      <RowList
        kind="cut-rows"
        count={rows.length}
        rowPx={ROW_PX}
        chosen={chosen}
        follows
        keyOf={(index) => index}
        onChoose={onChoose}
      >
        {(index) => {
          const row = rows[index];
          if (row === undefined) return null;
          const measured = measuredOf(row, state);
          const isHere = row.placement === 'edge';
          const cells = [
            isHere ? '–' : formatBytes(row.uplinkBytes, language),
            formatMs(row.headMs + row.encodeMs, language),
            isHere ? '–' : formatMs(row.uplinkMs + row.roundTripMs + row.downlinkMs, language),
            isHere ? '–' : formatMs(row.decodeMs + row.tailMs, language),
            formatMs(row.latencyMs, language),
            measured?.ms == null ? '–' : formatMs(measured.ms, language),
          ];
          return (
            <>
              <span className="cut-row-name">
                <span className="cut-row-text">{rowName(row, t)}</span>
                {index === plan.choice && <span className="tag">{t('cut.tag.best')}</span>}
                {index === now && <span className="tag">{t('cut.tag.now')}</span>}
                {row.route !== null && <span className="tag">{t('cut.tag.chain')}</span>}
                {row.fusion !== null && <span className="tag">{t('cut.tag.fused')}</span>}
              </span>
              {cells.map((text, at) => (
                <span key={COLUMNS[at]} className="row-number">
                  <span className="visually-hidden">{`${t(`cut.column.${COLUMNS[at] as 'sent'}`)}: `}</span>
                  {text}
                </span>
              ))}
            </>
          );
        }}
      </RowList>
    </section>
  );
}

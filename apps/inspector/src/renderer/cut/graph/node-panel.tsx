// The node that was chosen: what it is, what it makes and takes; and folding of the blocks that repeat.
import type { CutGraph } from '@kerf/bridge';
import { useTexts } from '../../i18n/messages.tsx';
import { formatBytes, formatMs } from '../../shared/format.ts';
import { Pairs } from '../../shared/pairs-panel.tsx';

interface Props {
  readonly graph: CutGraph;
  readonly position: number | null;
  /** Repeats that are not folded. */
  readonly open: ReadonlySet<number>;
  readonly onToggle: (repeat: number) => void;
  readonly onToggleAll: (open: ReadonlySet<number>) => void;
}

export function NodePanel({ graph, position, open, onToggle, onToggleAll }: Props) {
  const { t, language } = useTexts();
  const { nodes, repeats } = graph;
  const node = position === null ? undefined : nodes[position];
  const repeat =
    position === null
      ? -1
      : repeats.findIndex(({ from, period, times }) => position >= from && position < from + period * times);
  const block = repeats[repeat];
  const isOpen = open.has(repeat);
  return (
    <div className="cut-node">
      {repeats.length > 0 && (
        <button
          type="button"
          onClick={() => onToggleAll(open.size === repeats.length ? new Set() : new Set(repeats.keys()))}
        >
          {t(open.size === repeats.length ? 'cut.foldAll' : 'cut.unfoldAll', { count: repeats.length })}
        </button>
      )}
      {node === undefined ? (
        <p className="note">{t('cut.noNode')}</p>
      ) : (
        <>
          {block !== undefined && (
            <button type="button" aria-pressed={isOpen} onClick={() => onToggle(repeat)}>
              {t(isOpen ? 'cut.fold' : 'cut.unfold', { times: block.times, nodes: block.period })}
            </button>
          )}
          <Pairs
            rows={[
              [t('cut.operator'), node.opType],
              [t('cut.nodeName'), node.name || '–'],
              [t('cut.output'), node.outputs[0] ?? '–'],
              [t('cut.shape'), [node.dtype, node.shape].filter((text) => text !== null).join(' ') || '–'],
              [t('cut.size'), node.bytes === null ? '–' : formatBytes(node.bytes, language)],
              [t('cut.nodeEdge'), node.edgeMs === null ? '–' : formatMs(node.edgeMs, language)],
            ]}
          />
        </>
      )}
    </div>
  );
}

// A field that finds nodes by name, operator and shape, and a list of what was found.
import type { CutGraph } from '@kerf/bridge';
import { useEffect, useMemo, useState } from 'react';
import { useTexts } from '../../i18n/messages.tsx';
import { Breakable } from '../../shared/breakable.tsx';
import { searchNodes } from './search-nodes.ts';

interface Props {
  readonly graph: CutGraph;
  readonly onFound: (positions: readonly number[]) => void;
  readonly onNode: (position: number) => void;
}

const MOST_LISTED = 40;

export function GraphSearch({ graph, onFound, onNode }: Props) {
  const { t } = useTexts();
  const [text, setText] = useState('');
  const found = useMemo(() => searchNodes(graph.nodes, text), [graph, text]);
  useEffect(() => onFound(found), [onFound, found]);
  const first = found[0];
  return (
    <form
      className="cut-search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        if (first !== undefined) onNode(first);
      }}
    >
      <label>
        {t('cut.search')}
        <input
          type="search"
          value={text}
          placeholder={t('cut.searchHint')}
          onChange={({ target }) => setText(target.value)}
        />
      </label>
      {text.trim() !== '' && (
        <>
          <p role="status">{t('cut.found', { count: found.length })}</p>
          <ul className="cut-found">
            {found.slice(0, MOST_LISTED).map((position) => {
              const node = graph.nodes[position];
              if (node === undefined) return null;
              return (
                <li key={position}>
                  <button type="button" onClick={() => onNode(position)}>
                    <strong>{node.opType}</strong> <Breakable text={node.name || (node.outputs[0] ?? '')} />{' '}
                    {node.shape ?? ''}
                  </button>
                </li>
              );
            })}
          </ul>
        </>
      )}
    </form>
  );
}

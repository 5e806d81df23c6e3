// Pairs of the same part as rows: what the one session says, and what the other.
import type { PairView, SidedVerdict } from '@kerf/bridge';
import { useTexts } from '../i18n/messages.tsx';
import { formatScore } from '../shared/format.ts';
import { PartName } from '../shared/part-name.tsx';
import { RowList } from '../shared/row-list.tsx';
import { VerdictLabel } from '../shared/verdict-mark.tsx';

interface Props {
  readonly pairs: readonly PairView[];
  readonly chosen: number;
  readonly onChoose: (index: number) => void;
  readonly onEnd: (() => void) | null;
}

const isChanged = (pair: PairView | undefined): boolean => pair?.left?.verdict !== pair?.right?.verdict;

export function PairList({ pairs, chosen, onChoose, onEnd }: Props) {
  return (
    <RowList
      kind="pair-rows"
      count={pairs.length}
      rowPx={68}
      chosen={chosen}
      follows
      keyOf={(index) => index}
      isFlagged={(index) => isChanged(pairs[index])}
      onChoose={onChoose}
      onEnd={onEnd}
    >
      {(index) => {
        const pair = pairs[index];
        if (pair === undefined) return null;
        return (
          <>
            <PartName id={pair.partId} />
            <Side said={pair.left} />
            <span aria-hidden="true">{isChanged(pair) ? '→' : '='}</span>
            <Side said={pair.right} />
          </>
        );
      }}
    </RowList>
  );
}

function Side({ said }: { readonly said: SidedVerdict | null }) {
  const { t, language } = useTexts();
  if (said === null) return <span className="note">{t('sessions.absent')}</span>;
  return (
    <span className="pair-side">
      <VerdictLabel verdict={said.verdict} />
      <span className="row-number">{said.score === null ? '–' : formatScore(said.score, language)}</span>
    </span>
  );
}

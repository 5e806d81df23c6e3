// Kept parts as rows: what they were judged, why they were kept, what a person called them.
import type { SampleView } from '@kerf/bridge';
import { useTexts } from '../i18n/messages.tsx';
import { formatScore, joined } from '../shared/format.ts';
import { PartName } from '../shared/part-name.tsx';
import { RowList } from '../shared/row-list.tsx';
import { VerdictMark } from '../shared/verdict-mark.tsx';

interface Props {
  readonly samples: readonly SampleView[];
  readonly chosen: number;
  readonly onChoose: (index: number) => void;
  readonly onEnd: (() => void) | null;
}

export function SampleList({ samples, chosen, onChoose, onEnd }: Props) {
  const { t, language } = useTexts();
  return (
    <RowList
      kind="sample-rows"
      count={samples.length}
      rowPx={64}
      chosen={chosen}
      follows
      keyOf={(index) => samples[index]?.id ?? index}
      onChoose={onChoose}
      onEnd={onEnd}
    >
      {(index) => {
        const sample = samples[index];
        if (sample === undefined) return null;
        const { record, reasons, label } = sample;
        const facts = [
          t(`verdict.${record.verdict}`),
          ...(record.score === null ? [] : [formatScore(record.score, language)]),
          joined(
            reasons.map((reason) => t(`samples.reason.${reason}`)),
            language,
          ),
        ];
        return (
          <>
            <VerdictMark verdict={record.verdict} />
            <span className="sample-what">
              <PartName id={record.partId} />
              <span className="row-more">{facts.join(' · ')}</span>
            </span>
            <span className="sample-label">{label === null ? '–' : label.name}</span>
          </>
        );
      }}
    </RowList>
  );
}

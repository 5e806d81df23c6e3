// Known parts under both releases: counts side by side, and each part whose verdict would change.
import type { CanaryAnswer, CanaryPart, CanaryView } from '@kerf/bridge';
import type { Verdict } from '@kerf/edge-runtime';
import { useTexts } from '../i18n/messages.tsx';
import { formatMs, formatNumber, formatScore } from '../shared/format.ts';
import { TableHead } from '../shared/table-head.tsx';
import { VerdictLabel } from '../shared/verdict-mark.tsx';
import { Wide } from '../shared/wide.tsx';

const SHOWN: readonly Verdict[] = ['PASS', 'REVIEW', 'NG', 'NO_READ', 'ERROR'];

export function CanaryResult({ canary }: { readonly canary: CanaryView }) {
  const { t, language } = useTexts();
  const { parts, against, version, before, after, changedCount } = canary;
  const verdicts = SHOWN.filter((verdict) => before.verdicts[verdict] + after.verdicts[verdict] > 0);
  const number = (value: number) => formatNumber(value, language);
  return (
    <div className="canary" role="status">
      <p>
        <strong>
          {changedCount === 0
            ? t('updates.canarySame', { parts, against })
            : t('updates.canaryChanged', { changed: changedCount, parts, against })}
        </strong>
      </p>
      <Wide label={t('updates.release')}>
        <table>
          <TableHead
            columns={[
              t('updates.release'),
              ...verdicts.map((verdict) => t(`verdict.${verdict}`)),
              t('updates.escaped'),
              t('updates.overkilled'),
              t('updates.medianMs'),
            ]}
          />
          <tbody>
            {[[against, before] as const, [version, after] as const].map(([name, counts]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {verdicts.map((verdict) => (
                  <td key={verdict} className="row-number">
                    {number(counts.verdicts[verdict])}
                  </td>
                ))}
                <td className="row-number">{number(counts.escaped)}</td>
                <td className="row-number">{number(counts.overkilled)}</td>
                <td className="row-number">{formatMs(counts.medianMs, language)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
      {canary.changed.length > 0 && <Changed canary={canary} />}
    </div>
  );
}

function Changed({ canary: { changed, changedCount, against, version } }: { readonly canary: CanaryView }) {
  const { t } = useTexts();
  return (
    <Wide label={t('updates.part')}>
      <table className="words">
        <TableHead
          columns={[
            t('updates.part'),
            t('updates.truth'),
            t('updates.before', { version: against }),
            t('updates.after', { version }),
          ]}
        />
        <tbody>
          {changed.map((part) => (
            <tr key={part.part}>
              <th scope="row">{part.part}</th>
              <td>{truthOf(part, t('updates.good'), t('updates.unknown'))}</td>
              <td>
                <Answer answer={part.before} />
              </td>
              <td>
                <Answer answer={part.after} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {changedCount > changed.length && <p>{t('updates.more', { count: changedCount - changed.length })}</p>}
    </Wide>
  );
}

function Answer({ answer: { verdict, score } }: { readonly answer: CanaryAnswer }) {
  const { language } = useTexts();
  return (
    <span className="answer">
      <VerdictLabel verdict={verdict} /> {score === null ? '' : formatScore(score, language)}
    </span>
  );
}

function truthOf({ truth }: CanaryPart, good: string, unknown: string): string {
  if (truth === null) return unknown;
  return truth === 'good' ? good : truth;
}

// The spans of a frame as bars on one time axis, with the same as a table for those who read rather than look.
import type { ResultRecord } from '@kerf/edge-runtime';
import { useTexts } from '../i18n/messages.tsx';
import { formatMs } from '../shared/format.ts';

export function Waterfall({ record }: { readonly record: ResultRecord }) {
  const { t, language } = useTexts();
  const total = Math.max(record.totalMs, ...record.spans.map(({ startMs, durationMs }) => startMs + durationMs), 0.001);
  return (
    <table className="waterfall">
      <thead className="visually-hidden">
        <tr>
          <th scope="col">{t('why.span')}</th>
          <th scope="col">{t('why.start')}</th>
          <th scope="col">{t('why.duration')}</th>
        </tr>
      </thead>
      <tbody>
        {record.spans.map(({ stage, startMs, durationMs, errorMs }, index) => (
          <tr key={`${stage}-${index}`}>
            <th scope="row">{t(`stage.${stage}`)}</th>
            <td className="waterfall-bar">
              <span className="visually-hidden">{formatMs(startMs, language)}</span>
              <span
                className="bar"
                data-stage={stage}
                style={{ left: `${(100 * startMs) / total}%`, width: `${Math.max((100 * durationMs) / total, 0.5)}%` }}
              />
            </td>
            <td className="row-number">
              {formatMs(durationMs, language)}
              {errorMs === undefined ? null : ` ± ${formatMs(errorMs, language)}`}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

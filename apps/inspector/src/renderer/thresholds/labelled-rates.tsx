// What the thresholds would do to parts that a person has labelled, with 95 % intervals.
import type { RatesView, RateView } from '@kerf/bridge';
import { useTexts } from '../i18n/messages.tsx';
import { formatShare } from '../shared/format.ts';

const RATES = ['escape', 'overkill', 'goodNotPassed', 'review'] as const satisfies (keyof RatesView)[];

export function LabelledRates({ all, random }: { readonly all: RatesView; readonly random: RatesView }) {
  const { t } = useTexts();
  return (
    <>
      <table className="history rates">
        <caption className="visually-hidden">{t('thresholds.rates')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('thresholds.rates')}</th>
            <th scope="col" className="row-number">
              {t('thresholds.rates.all')}
            </th>
            <th scope="col" className="row-number">
              {t('thresholds.rates.random')}
            </th>
          </tr>
        </thead>
        <tbody>
          {RATES.map((name) => (
            <tr key={name}>
              <th scope="row">{t(`thresholds.rate.${name}`)}</th>
              <Rate {...all[name]} />
              <Rate {...random[name]} />
            </tr>
          ))}
        </tbody>
      </table>
      <p className="note">{t('thresholds.rates.help')}</p>
    </>
  );
}

function Rate({ count, of, share, interval }: RateView) {
  const { t, language } = useTexts();
  if (share === null) return <td className="row-number">–</td>;
  const [low, high] = [formatShare(interval.low, language), formatShare(interval.high, language)];
  return (
    <td className="row-number">
      <strong>{formatShare(share, language)}</strong>{' '}
      <span className="rate-of">{t('thresholds.rate', { count, of, low, high })}</span>
    </td>
  );
}

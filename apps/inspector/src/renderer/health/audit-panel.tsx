// What people changed at this station, and whether the log still holds.
import type { AuditView } from '@kerf/bridge';
import { en, type MessageKey } from '../i18n/en.ts';
import { type Translate, useTexts } from '../i18n/messages.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { formatMoment } from '../shared/format.ts';
import type { Pair } from '../shared/pairs-panel.tsx';
import { TableHead } from '../shared/table-head.tsx';
import { useCall } from '../shared/use-call.ts';
import { Wide } from '../shared/wide.tsx';
import { auditDetail } from './audit-detail.ts';

const ENTRIES = 50;

export function AuditPanel() {
  const { t } = useTexts();
  const { value, fault, again } = useCall('health.audit', { limit: ENTRIES });
  return (
    <section className="panel audit" aria-label={t('health.audit')}>
      <h2>{t('health.audit')}</h2>
      <FaultText fault={fault} />
      {value !== null && <Entries audit={value} />}
      <button type="button" onClick={again}>
        {t('health.auditVerify')}
      </button>
    </section>
  );
}

function Entries({ audit: { entries, total, broken } }: { readonly audit: AuditView }) {
  const { t, language } = useTexts();
  if (total === 0) return <p className="empty">{t('health.auditEmpty')}</p>;
  return (
    <>
      {broken === null ? (
        <p className="note">{t('health.auditGood', { total })}</p>
      ) : (
        <FaultText fault={broken} lead={t('health.auditBroken', { entry: broken.entry })} />
      )}
      <Wide label={t('health.audit')}>
        <table className="words">
          <TableHead columns={[t('updates.at'), t('health.who'), t('health.action'), t('health.detail')]} />
          <tbody>
            {entries.map(({ number, at, actor, action, detail }) => (
              <tr key={number}>
                <td>{formatMoment(at, language)}</td>
                <td>{actor}</td>
                <td>{sayAction(action, t)}</td>
                <td className="audit-detail">
                  <Detail pairs={auditDetail(detail, t, language)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
    </>
  );
}

function Detail({ pairs }: { readonly pairs: readonly Pair[] }) {
  if (pairs.length === 0) return '–';
  return pairs.map(([name, value]) => (
    <span key={name} className="audit-pair">
      {name !== '' && <span>{name}</span>} {value}
    </span>
  ));
}

/** Logs outlive calls: one that is gone is said by its name. */
function sayAction(action: string, t: Translate): string {
  const key = `audit.${action}`;
  return Object.hasOwn(en, key) ? t(key as MessageKey) : action;
}

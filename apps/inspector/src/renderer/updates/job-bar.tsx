// What is under way, how far it is, and how the last thing ended.
import type { EndedView, JobView, UpdatesView } from '@kerf/bridge';
import { type MessageKey, useTexts } from '../i18n/messages.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { formatBytes, formatNumber } from '../shared/format.ts';
import { useInspector } from '../shared/store.ts';
import { useRole } from '../shared/use-role.ts';

export function JobBar({ view }: { readonly view: UpdatesView }) {
  const { job, ended } = view;
  if (job !== null) return <Running job={job} />;
  return ended === null ? null : <Ended ended={ended} view={view} />;
}

function Running({ job: { step, version, done, total } }: { readonly job: JobView }) {
  const { t, language } = useTexts();
  const { bridge } = useInspector();
  const { may } = useRole();
  const label = t(`updates.step.${step}`, { version: version ?? '' });
  const shown =
    step === 'fetch'
      ? t('updates.bytesDone', { done: formatBytes(done, language), total: formatBytes(total ?? 0, language) })
      : t('updates.partsDone', { done: formatNumber(done, language), total: formatNumber(total ?? 0, language) });
  return (
    <section className="panel job" aria-label={label}>
      <div className="job-text" role="status">
        <strong>{label}</strong> {total !== null && <span>{shown}</span>}
      </div>
      {total === null || total === 0 ? (
        <progress aria-label={label} />
      ) : (
        <progress aria-label={label} value={Math.min(done, total)} max={total} />
      )}
      {may('engineer') && step !== 'rollBack' && (
        <button type="button" onClick={() => void bridge.call('updates.cancel', {}).catch(() => {})}>
          {t('updates.stop')}
        </button>
      )}
    </section>
  );
}

function Ended({ ended: { step, version, fault }, view }: { readonly ended: EndedView; readonly view: UpdatesView }) {
  const { t } = useTexts();
  if (fault !== null) return <FaultText fault={fault} lead={t(`updates.failed.${step}`)} />;
  return (
    <p className="note" role="status">
      {t(endedKey(step, version, view), { version: version ?? '' })}
    </p>
  );
}

function endedKey(step: EndedView['step'], version: string | null, view: UpdatesView): MessageKey {
  if (step === 'fetch' && version === null) return 'updates.ended.fetchNone';
  return step === 'apply' && view.waiting !== null ? 'updates.ended.applyWaits' : `updates.ended.${step}`;
}

// One part in two sessions: picture, what was marked, and the verdict of each.
import type { PairView, SidedVerdict } from '@kerf/bridge';
import { useTexts } from '../i18n/messages.tsx';
import { PartPicture } from '../pictures/part-picture.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { formatMs, formatScore, shortHash } from '../shared/format.ts';
import { ReasonText } from '../shared/reason-text.tsx';
import { sayPlace } from '../shared/say-place.ts';
import { useCall } from '../shared/use-call.ts';
import { VerdictLabel } from '../shared/verdict-mark.tsx';

interface Props {
  readonly pair: PairView;
  readonly sessions: readonly [left: string, right: string];
  readonly showOverlay: boolean;
}

export function SideBySide({ pair, sessions: [left, right], showOverlay }: Props) {
  const { t } = useTexts();
  return (
    <section className="side-by-side" aria-label={t('sessions.sideBySide')}>
      <Side title={t('sessions.left')} session={left} said={pair.left} showOverlay={showOverlay} />
      <Side title={t('sessions.right')} session={right} said={pair.right} showOverlay={showOverlay} />
    </section>
  );
}

interface SideProps {
  readonly title: string;
  readonly session: string;
  readonly said: SidedVerdict | null;
  readonly showOverlay: boolean;
}

function Side({ title, session, said, showOverlay }: SideProps) {
  const { t } = useTexts();
  return (
    <section className="why" aria-label={title}>
      <h2>{title}</h2>
      {said === null ? (
        <p className="empty">{t('sessions.notThere')}</p>
      ) : (
        <Part
          key={`${session} ${said.resultId}`}
          session={session}
          resultId={said.resultId}
          showOverlay={showOverlay}
        />
      )}
    </section>
  );
}

function Part({ session, resultId, showOverlay }: Record<'session' | 'resultId', string> & Pick<Props, 'showOverlay'>) {
  const { t, language } = useTexts();
  const { value, fault } = useCall('sessions.part', { session, resultId });
  if (fault !== null) return <FaultText fault={fault} />;
  if (value === null) return <p className="note">{t('samples.loading')}</p>;
  const { record, picture } = value;
  const part = record.partId ?? t('line.noPartId');
  return (
    <>
      <h3 className="pair-side">
        <VerdictLabel verdict={record.verdict} />
        {record.score !== null && <span className="row-number">{formatScore(record.score, language)}</span>}
      </h3>
      {picture === null ? (
        <p className="note">{t('line.noPicture')}</p>
      ) : (
        <PartPicture record={record} picture={picture} showOverlay={showOverlay} label={t('line.picture', { part })} />
      )}
      {record.reason !== null && <ReasonText reason={record.reason} />}
      <dl className="pairs facts">
        {[
          [t('line.part'), part],
          [t('line.took'), formatMs(record.totalMs, language)],
          [t('line.route'), sayPlace(record, t)],
          [t('why.release'), shortHash(record.release)],
          [t('why.thresholds'), shortHash(record.thresholdsVersion)],
        ].map(([name, text]) => (
          <div key={name} className="pair">
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

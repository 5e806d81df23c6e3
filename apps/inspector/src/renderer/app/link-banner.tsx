// What stands between the user and a live picture: no station, a lost camera, a paused line.
import { useTexts } from '../i18n/messages.tsx';
import { useInspector, useStore } from '../shared/store.ts';

export function LinkBanner() {
  const { t } = useTexts();
  const inspector = useInspector();
  const link = useStore(inspector.link);
  const station = useStore(inspector.station);
  if (link.kind === 'connecting') return <Banner kind="info" text={t('link.connecting')} />;
  if (link.kind === 'away') {
    const lasting =
      link.code === 'UNAUTHENTICATED' ? t('link.away.address') : t('link.away.lasting', { message: link.message });
    const more = link.retryInMs === null ? lasting : t('link.away.retry');
    return <Banner kind="alarm" text={`${t('link.away')}. ${more}`} />;
  }
  if (station === null) return null;
  const { name: source, state, reason } = station.source;
  if (state === 'lost') {
    return <Banner kind="alarm" text={t('line.sourceLost', { source, message: reason?.message ?? '' })} />;
  }
  if (station.state === 'paused') return <Banner kind="info" text={t('line.paused')} />;
  return state === 'ended' ? <Banner kind="info" text={t('line.sourceEnded', { source })} /> : null;
}

function Banner({ kind, text }: { readonly kind: 'info' | 'alarm'; readonly text: string }) {
  return (
    <p className="banner" data-kind={kind} role={kind === 'alarm' ? 'alert' : 'status'}>
      {text}
    </p>
  );
}

// What is being recorded now, and the session that is judged again; both can be stopped.
import { type FaultView, mayAct, type SessionsView } from '@kerf/bridge';
import { useState } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { FaultText, said } from '../shared/fault-text.tsx';
import { formatBytes } from '../shared/format.ts';
import { SteadyButton } from '../shared/steady-button.tsx';
import { useInspector, useStore } from '../shared/store.ts';
import { faultOf } from '../shared/use-action.ts';

interface Props {
  readonly view: SessionsView;
  /** What would be judged again; null where none is chosen. */
  readonly session: string | null;
  readonly onView: (view: SessionsView) => void;
}

export function RecordingPanel({ view, session, onView }: Props) {
  const { t, language } = useTexts();
  const { bridge, link } = useInspector();
  const state = useStore(link);
  const [fault, setFault] = useState<FaultView | null>(null);
  const role = state.kind === 'connected' ? state.hello.role : 'viewer';
  const isAllowed = mayAct(role, 'engineer');
  const act = async (asked: Promise<SessionsView>): Promise<void> => {
    try {
      onView(await asked);
      setFault(null);
    } catch (error) {
      setFault(faultOf(error));
    }
  };
  const { recording, replay, missed } = view;
  const isReplaying = replay.state === 'running';
  const judge = (judgeBy: 'recorded' | 'station') => {
    if (session !== null) void act(bridge.call('sessions.replay', { session, judgeBy }));
  };
  return (
    <>
      <p role="status">
        {recording === null
          ? t('sessions.notRecording')
          : t('sessions.recording', { parts: recording.parts, bytes: formatBytes(recording.bytes, language) })}
      </p>
      <FaultText
        fault={fault ?? said(view.fault, view.cause)}
        {...(missed > 0 && fault === null && { lead: t('sessions.missed', { missed }) })}
      />
      <div className="toolbar">
        <button
          type="button"
          disabled={!isAllowed}
          onClick={() => void act(bridge.call(recording === null ? 'sessions.start' : 'sessions.stop', {}))}
        >
          {t(recording === null ? 'sessions.start' : 'sessions.stop')}
        </button>
        <button
          type="button"
          disabled={!isAllowed || session === null}
          onClick={() => (isReplaying ? void act(bridge.call('sessions.cancel', {})) : judge('recorded'))}
        >
          {t(isReplaying ? 'sessions.cancel' : 'sessions.replay')}
        </button>
        <SteadyButton isOff={!isAllowed || session === null || isReplaying} onClick={() => judge('station')}>
          {t('sessions.replayNow')}
        </SteadyButton>
      </div>
      <Replaying replay={replay} />
      {!isAllowed && <p className="note">{t('sessions.role', { role: t(`role.${role}`) })}</p>}
    </>
  );
}

function Replaying({ replay }: { readonly replay: SessionsView['replay'] }) {
  const { t } = useTexts();
  switch (replay.state) {
    case 'idle':
      return null;
    case 'running':
      return (
        <p role="status">
          <progress aria-label={t('sessions.replay')} value={replay.done} max={Math.max(1, replay.all)} />{' '}
          {t('sessions.replaying', { done: replay.done, all: replay.all })}
        </p>
      );
    case 'done': {
      const { equal, changed, skipped } = replay;
      return <p role="status">{t('sessions.replayed', { equal, changed, skipped })}</p>;
    }
    case 'failed':
      return <FaultText fault={replay} />;
  }
}

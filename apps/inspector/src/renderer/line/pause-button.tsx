// Pause and resume, for those who may.
import { mayAct } from '@kerf/bridge';
import { useTexts } from '../i18n/messages.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { useInspector, useStore } from '../shared/store.ts';
import { usePause } from './use-pause.ts';

export function PauseButton() {
  const { t } = useTexts();
  const inspector = useInspector();
  const link = useStore(inspector.link);
  const station = useStore(inspector.station);
  const { fault, toggle } = usePause();
  const may = link.kind === 'connected' && mayAct(link.hello.role, 'operator');
  const can = station?.state === 'running' || station?.state === 'paused';
  if (!may) return null;
  return (
    <>
      <button type="button" disabled={!can} onClick={toggle}>
        {t(station?.state === 'paused' ? 'line.resume' : 'line.pause')}
      </button>
      <FaultText fault={fault} />
    </>
  );
}

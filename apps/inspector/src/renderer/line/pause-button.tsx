// Pause and resume, for those who may.
import { type FaultView, mayAct } from '@kerf/bridge';
import { useState } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { type Inspector, useInspector, useStore } from '../shared/store.ts';
import { faultOf } from '../shared/use-action.ts';

/** What the button and the key `P` do. @throws {KerfError} what the station answers. */
export async function togglePause({ bridge, station }: Inspector): Promise<void> {
  await bridge.call(station.get()?.state === 'paused' ? 'station.resume' : 'station.pause', {});
}

export function PauseButton() {
  const { t } = useTexts();
  const inspector = useInspector();
  const link = useStore(inspector.link);
  const station = useStore(inspector.station);
  const [fault, setFault] = useState<FaultView | null>(null);
  const may = link.kind === 'connected' && mayAct(link.hello.role, 'operator');
  const can = station?.state === 'running' || station?.state === 'paused';
  if (!may) return null;
  const toggle = (): void => {
    setFault(null);
    togglePause(inspector).catch((error: unknown) => setFault(faultOf(error)));
  };
  return (
    <>
      <button type="button" disabled={!can} onClick={toggle}>
        {t(station?.state === 'paused' ? 'line.resume' : 'line.pause')}
      </button>
      <FaultText fault={fault} />
    </>
  );
}

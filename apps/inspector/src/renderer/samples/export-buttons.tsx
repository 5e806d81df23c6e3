// Labelled parts as a file to take along, with progress, and a way to stop.
import type { FaultView } from '@kerf/bridge';
import { useEffect, useRef, useState } from 'react';
import { type MessageKey } from '../i18n/en.ts';
import { useTexts } from '../i18n/messages.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { saveBlob } from '../shared/save-blob.ts';
import { useInspector } from '../shared/store.ts';
import { faultOf } from '../shared/use-action.ts';
import { exportZip } from './export-zip.ts';

const FORMATS = { mvtec: 'samples.export.mvtec', coco: 'samples.export.coco' } as const satisfies Record<
  string,
  MessageKey
>;
type Format = keyof typeof FORMATS;

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly done: number; readonly all: number }
  | { readonly kind: 'done'; readonly name: string }
  | { readonly kind: 'failed'; readonly fault: FaultView };

export function ExportButtons({ labelled, station }: { readonly labelled: number; readonly station: string }) {
  const { t } = useTexts();
  const { bridge } = useInspector();
  const [state, setState] = useState<State>({ kind: 'idle' });
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  const start = async (format: Format): Promise<void> => {
    const abort = new AbortController();
    running.current = abort;
    setState({ kind: 'running', done: 0, all: labelled });
    try {
      const files = await bridge.call('samples.export', { format });
      const blob = await exportZip(bridge, files, abort.signal, (done, all) =>
        setState({ kind: 'running', done, all }),
      );
      const name = `${station}-${format}-${new Date().toISOString().slice(0, 10)}.zip`;
      saveBlob(blob, name);
      setState({ kind: 'done', name });
    } catch (error) {
      setState(abort.signal.aborted ? { kind: 'idle' } : { kind: 'failed', fault: faultOf(error) });
    }
  };
  return (
    <div className="toolbar">
      {state.kind === 'running' ? (
        <>
          <progress aria-label={t('samples.export.progress')} value={state.done} max={Math.max(1, state.all)} />
          <button type="button" onClick={() => running.current?.abort()}>
            {t('samples.export.cancel')}
          </button>
        </>
      ) : (
        (Object.keys(FORMATS) as Format[]).map((format) => (
          <button key={format} type="button" disabled={labelled === 0} onClick={() => void start(format)}>
            {t(FORMATS[format])}
          </button>
        ))
      )}
      {state.kind === 'done' && <span role="status">{t('samples.export.done', { name: state.name })}</span>}
      {state.kind === 'failed' && <FaultText fault={state.fault} />}
    </div>
  );
}

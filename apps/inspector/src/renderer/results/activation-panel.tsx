// The activation at the cut as pictures, one for each channel, asked for when it is wanted.
import type { FaultView, LookedTensor, WhyLook } from '@kerf/bridge';
import { useEffect, useRef, useState } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { formatScore } from '../shared/format.ts';
import { useInspector } from '../shared/store.ts';
import { faultOf } from '../shared/use-action.ts';

export function ActivationPanel({ resultId }: { readonly resultId: string }) {
  const { t } = useTexts();
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{t('why.activation')}</summary>
      {isOpen && <Activation resultId={resultId} />}
    </details>
  );
}

function Activation({ resultId }: { readonly resultId: string }) {
  const { t } = useTexts();
  const { value, fault, isLoaded } = useLook(resultId);
  if (fault !== null) return <FaultText fault={fault} />;
  if (!isLoaded)
    return (
      <p className="note" aria-busy="true">
        {t('why.looking')}
      </p>
    );
  if (value === null) return <p className="empty">{t('why.gone')}</p>;
  return (
    <>
      <p>{t(value.hasCrossed ? 'why.crossed' : value.isCut ? 'why.notCrossed' : 'why.notCut')}</p>
      {value.isNear && <p className="note">{t('why.near')}</p>}
      {value.tensors.map((tensor) => (
        <Tensor key={tensor.name} {...tensor} />
      ))}
    </>
  );
}

/** Null is an answer too: the picture is gone. */
function useLook(resultId: string): { value: WhyLook | null; fault: FaultView | null; isLoaded: boolean } {
  const { bridge } = useInspector();
  const [state, setState] = useState({
    value: null as WhyLook | null,
    fault: null as FaultView | null,
    isLoaded: false,
  });
  useEffect(() => {
    let isCurrent = true;
    bridge.call('why.look', { resultId }).then(
      (value) => isCurrent && setState({ value, fault: null, isLoaded: true }),
      (error: unknown) => isCurrent && setState({ value: null, fault: faultOf(error), isLoaded: true }),
    );
    return () => {
      isCurrent = false;
    };
  }, [bridge, resultId]);
  return state;
}

function Tensor({ name, dtype, shape, pictures }: LookedTensor) {
  const { t, language } = useTexts();
  return (
    <>
      <h3 className="tensor-name">{name}</h3>
      <p className="note">
        {`${dtype} [${shape.join(', ')}]`}
        {pictures !== null && ` · ${t('why.channels', { shown: pictures.shown.length, channels: pictures.channels })}`}
      </p>
      {pictures !== null && (
        <ul className="channels">
          {pictures.shown.map(({ channel, low, high, pixels }) => (
            <li key={channel}>
              <Grey
                width={pictures.width}
                height={pictures.height}
                pixels={pixels}
                label={t('why.channel', {
                  channel,
                  low: formatScore(low, language),
                  high: formatScore(high, language),
                })}
              />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

interface GreyProps {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
  readonly label: string;
}

function Grey({ width, height, pixels, label }: GreyProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (context == null) return;
    const colors = new Uint8ClampedArray(width * height * 4);
    for (const [at, value] of pixels.entries()) colors.set([value, value, value, 255], at * 4);
    context.putImageData(new ImageData(colors, width, height), 0, 0);
  }, [width, height, pixels]);
  return <canvas ref={canvas} width={width} height={height} role="img" aria-label={label} title={label} />;
}

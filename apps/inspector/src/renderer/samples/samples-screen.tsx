// Parts that are worth a look, labelled by number key, and taken along as a data set.
import type { FaultView, SamplesView } from '@kerf/bridge';
import { mayAct } from '@kerf/bridge';
import { useEffect, useRef, useState } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { FaultText, said } from '../shared/fault-text.tsx';
import { formatBytes, formatNumber, formatShare, sentences } from '../shared/format.ts';
import { Loading } from '../shared/loading.tsx';
import { useInspector, useStore } from '../shared/store.ts';
import { Unanswered } from '../shared/untold.tsx';
import { faultOf } from '../shared/use-action.ts';
import { type Asked, useCall } from '../shared/use-call.ts';
import { ExportButtons } from './export-buttons.tsx';
import { LabelPad } from './label-pad.tsx';
import { SampleList } from './sample-list.tsx';
import { nextUnlabelled, SHOWN, type Shown, useSamples } from './use-samples.ts';

export function SamplesScreen({ showOverlay }: { readonly showOverlay: boolean }) {
  const { t } = useTexts();
  const { view, fault, again } = useSamplesView();
  if (view === null) return fault === null ? <Loading /> : <Unanswered fault={fault} onAgain={again} />;
  if (!view.isOn) {
    return (
      <section className="panel" aria-label={t('samples.title')}>
        <h2>{t('samples.title')}</h2>
        <p className="empty">{t('samples.off')}</p>
        <pre>{'samples:\n  path: samples'}</pre>
      </section>
    );
  }
  return <Labelling view={view} showOverlay={showOverlay} />;
}

/** Asked for once, then told at each change. */
function useSamplesView(): Pick<Asked<never>, 'fault' | 'again'> & { readonly view: SamplesView | null } {
  const { bridge } = useInspector();
  const { value, fault, again } = useCall('samples.view', {});
  const [told, setTold] = useState<SamplesView | null>(null);
  useEffect(() => bridge.subscribe('samples', setTold), [bridge]);
  useEffect(() => setTold(value), [value]);
  return { view: told ?? value, fault, again };
}

function Labelling({ view, showOverlay }: { readonly view: SamplesView; readonly showOverlay: boolean }) {
  const { t } = useTexts();
  const { bridge, link } = useInspector();
  const state = useStore(link);
  const [show, setShow] = useState<Shown>('unlabelled');
  const { samples, isLoaded, fault, more, replace } = useSamples(show, view.kept);
  const [chosenId, setChosenId] = useState<string | null>(null);
  const isChosen = chosenId !== null;
  const [said, setSaid] = useState<FaultView | null>(null);
  const chosen = Math.max(
    0,
    samples.findIndex(({ id }) => id === chosenId),
  );
  const sample = samples[chosen];
  const choose = (index: number): void =>
    setChosenId(samples[Math.max(0, Math.min(index, samples.length - 1))]?.id ?? null);
  const label = (name: string | null): void => {
    if (sample === undefined) return;
    bridge.call('samples.label', { id: sample.id, label: name }).then(
      (changed) => {
        setSaid(null);
        replace(changed);
        const next = name === null ? null : nextUnlabelled(samples, chosen);
        setChosenId(next === null ? sample.id : (samples[next]?.id ?? null));
      },
      (error: unknown) => setSaid(faultOf(error)),
    );
  };
  const undo = (): void => {
    bridge.call('samples.undo', {}).then(
      (changed) => {
        setSaid(null);
        if (changed === null) return;
        replace(changed);
        setChosenId(changed.id);
      },
      (error: unknown) => setSaid(faultOf(error)),
    );
  };
  const isAllowed = state.kind === 'connected' && mayAct(state.hello.role, 'engineer');
  useLabelKeys({
    label: (at) => isAllowed && at < view.labels.length && label(at < 0 ? null : (view.labels[at]?.name ?? null)),
    undo: () => isAllowed && view.canUndo && undo(),
    move: (by) => choose(chosen + by),
  });
  const trouble = said ?? fault;
  return (
    <div className="samples">
      <section className="panel side fills" aria-label={t('samples.title')}>
        <Figures view={view} />
        <div className="filters" role="group" aria-label={t('results.filter')}>
          {SHOWN.map((name) => (
            <button key={name} type="button" aria-pressed={show === name} onClick={() => setShow(name)}>
              {t(`samples.show.${name}`)}
            </button>
          ))}
        </div>
        <ExportButtons labelled={view.labelled} station={state.kind === 'connected' ? state.hello.station : 'kerf'} />
        <FaultText fault={trouble} />
        {samples.length === 0 ? (
          <p className="empty" aria-busy={!isLoaded}>
            {t(view.kept === 0 ? 'samples.empty' : `samples.empty.${show}`)}
          </p>
        ) : (
          <SampleList samples={samples} chosen={chosen} onChoose={choose} onEnd={more} />
        )}
      </section>
      {sample === undefined ? (
        <section className="why" aria-label={t('samples.chosen')}>
          <p className="empty">{t('samples.none')}</p>
        </section>
      ) : (
        <LabelPad {...{ sample, view, showOverlay, isChosen }} onLabel={label} onUndo={undo} />
      )}
    </div>
  );
}

function Figures({ view }: { readonly view: SamplesView }) {
  const { t, language } = useTexts();
  const { kept, labelled, bytes, quotaBytes, seen, alike, missed, fault, cause } = view;
  const share = formatShare(quotaBytes === 0 ? 0 : bytes / quotaBytes, language);
  return (
    <>
      <h2>{t('samples.title')}</h2>
      <p>{t('samples.counts', { kept, labelled })}</p>
      <p className="note">
        {sentences(
          [
            t('samples.since', { seen: formatNumber(seen, language), alike: formatNumber(alike, language) }),
            t('samples.room', { bytes: formatBytes(bytes, language), share }),
          ],
          language,
        )}
      </p>
      {missed > 0 && <FaultText fault={said(fault ?? '', cause)} lead={t('samples.missed', { missed })} />}
    </>
  );
}

interface LabelKeys {
  /** -1 takes the label away. */
  label(at: number): void;
  undo(): void;
  move(by: number): void;
}

/** Number keys are this screen's own: [ and ] change the screen. */
function useLabelKeys(keys: LabelKeys): void {
  const current = useRef(keys);
  current.current = keys;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const { tagName } = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(tagName)) return;
      if (document.querySelector('dialog[open]') !== null) return;
      if (/^\d$/.test(event.key)) current.current.label(Number(event.key) - 1);
      else if (event.key === 'u' || event.key === 'U') current.current.undo();
      else if (event.key === 'ArrowDown') current.current.move(1);
      else if (event.key === 'ArrowUp') current.current.move(-1);
      else return;
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    addEventListener('keydown', onKey, { capture: true });
    return () => removeEventListener('keydown', onKey, { capture: true });
  }, []);
}

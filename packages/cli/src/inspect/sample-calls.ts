// A station's kept parts -> what the screen Samples asks.
import type { SamplesView, SampleView } from '@kerf/bridge';
import { causeView } from '@kerf/bridge';
import { exportSamples, type Pictures } from '@kerf/edge-runtime';
import { type Sample, type StationSamples, sampleFormat } from '@kerf/edge-runtime/node';
import { KerfError } from '@kerf/protocol';
import { refused } from '../refusal.ts';
import { encodedPicture } from './encoded-picture.ts';
import type { CallsOf } from './service-calls.ts';

/** A file of the whole size that still fits into one message. */
const MAX_FULL_BYTES = 24 * 1024 * 1024;

const OFF: SamplesView = {
  isOn: false,
  labels: [],
  kept: 0,
  labelled: 0,
  counts: {},
  bytes: 0,
  quotaBytes: 0,
  seen: 0,
  alike: 0,
  missed: 0,
  fault: null,
  canUndo: false,
};

export function samplesView(samples: StationSamples | null): SamplesView {
  if (samples === null) return OFF;
  const { labels, store, counters, config } = samples;
  const { all } = store;
  const counts: Record<string, number> = {};
  for (const { label } of all) if (label !== null) counts[label.name] = (counts[label.name] ?? 0) + 1;
  const { seen, alike, missed, fault, cause } = counters;
  return {
    isOn: true,
    labels,
    kept: all.length,
    labelled: Object.values(counts).reduce((sum, count) => sum + count, 0),
    counts,
    bytes: store.bytes,
    quotaBytes: config.quota,
    seen,
    alike,
    missed,
    fault,
    cause: causeView(cause),
    canUndo: store.canUndo,
  };
}

/** @param onChange after each label that was given or taken back */
export function sampleCalls(
  samples: StationSamples | null,
  pictures: Pictures,
  onChange: () => void,
): CallsOf<'samples'> {
  const kept = (): StationSamples => {
    if (samples !== null) return samples;
    throw refused({ kind: 'no-samples' });
  };
  return {
    'samples.view': () => samplesView(samples),
    'samples.list': ({ before, limit, show }) => {
      const wanted = ({ label }: Sample): boolean => show === 'all' || (label === null) === (show === 'unlabelled');
      const older = (samples?.store.all ?? []).filter((sample) => before === null || sample.id < before);
      const found = older.filter(wanted).toReversed();
      return { samples: found.slice(0, limit).map(viewOf), hasMore: found.length > limit };
    },
    'samples.picture': async ({ id, full }) => {
      const sample = samples?.store.get(id) ?? null;
      const bytes = (await samples?.store.picture(id)) ?? null;
      if (sample === null || bytes === null) return null;
      const format = sampleFormat(sample);
      if (!full) {
        const original = { kind: 'encoded' as const, format, bytes };
        return encodedPicture({ original, pictures });
      }
      if (bytes.byteLength > MAX_FULL_BYTES) {
        throw refused({ kind: 'picture-too-large', file: sample.file, bytes: bytes.byteLength });
      }
      return { format, bytes, width: sample.width, height: sample.height };
    },
    'samples.label': async ({ id, label }, { name: by }) => {
      const { store, labels } = kept();
      if (label !== null && !labels.some(({ name }) => name === label)) {
        const names = labels.map(({ name }) => name).join(', ');
        throw new KerfError('INVALID_ARGUMENT', `'${label}' is no label of this station; labels are ${names}`);
      }
      const at = new Date().toISOString();
      const sample = await store.label(id, label === null ? null : { name: label, by, at });
      onChange();
      return viewOf(sample);
    },
    'samples.undo': async () => {
      const sample = await kept().store.undo();
      onChange();
      return sample === null ? null : viewOf(sample);
    },
    'samples.export': ({ format }) => {
      const { store, labels } = kept();
      return { files: exportSamples(store.all, labels, format) };
    },
  };
}

function viewOf({ id, record, reasons, label }: Sample): SampleView {
  return { id, record, reasons, label };
}

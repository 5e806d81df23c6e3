// The calls of the screen Samples: roles, shapes of parameters, answers. A part of the one contract.
import { EXPORT_FORMATS } from '@kerf/edge-runtime';
import * as v from 'valibot';
import type { SamplesExport, SamplesView, SampleView } from './samples-views.ts';
import type { PictureView, Role } from './views.ts';

const nothing = v.strictObject({});
const id = v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/));
/** Most samples of one answer. */
export const MAX_SAMPLE_PAGE = 200;

export const SAMPLES_CALLS = {
  'samples.view': { role: 'viewer', params: nothing },
  'samples.list': {
    role: 'viewer',
    params: v.strictObject({
      /** Older than this one; null for the newest. */
      before: v.nullable(id),
      limit: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_SAMPLE_PAGE)),
      show: v.picklist(['unlabelled', 'labelled', 'all']),
    }),
  },
  /** `full`: the file as it is, for an export; else at the size of a screen. */
  'samples.picture': { role: 'viewer', params: v.strictObject({ id, full: v.boolean() }) },
  /** A null label takes it away. */
  'samples.label': {
    role: 'engineer',
    params: v.strictObject({ id, label: v.nullable(v.pipe(v.string(), v.maxLength(64))) }),
  },
  'samples.undo': { role: 'engineer', params: nothing },
  'samples.export': { role: 'viewer', params: v.strictObject({ format: v.picklist(EXPORT_FORMATS) }) },
} as const satisfies Record<string, { role: Role; params: v.GenericSchema }>;

export interface SamplesResults {
  'samples.view': SamplesView;
  'samples.list': { readonly samples: readonly SampleView[]; readonly hasMore: boolean };
  'samples.picture': PictureView | null;
  'samples.label': SampleView;
  /** Null where there was nothing to undo. */
  'samples.undo': SampleView | null;
  'samples.export': SamplesExport;
}

export interface SamplesTopics {
  /** After a part was kept or a label changed. */
  samples: SamplesView;
}

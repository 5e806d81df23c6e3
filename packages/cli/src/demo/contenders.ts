// A model and the codec at its cut -> the placements that the demo compares.
import type { SplitCodec } from '@kerf/protocol';
import type { CutCodec } from '@kerf/splitter';
import { describeCoding, isLossless } from '../measure/picture-coding.ts';
import type { Contender, PictureCoding, Placement } from '../measure/placements.ts';

/** A placement to measure, and whether what crosses loses something. */
export interface DemoContender extends Contender {
  readonly placement: Placement;
  readonly lossy: boolean;
}

export const EDGE_LABEL = 'edge only';

const PICTURES: readonly PictureCoding[] = [
  { format: 'png' },
  { format: 'jpeg', quality: 90 },
  { format: 'jpeg', quality: 75 },
];
const FLOAT32_BITS = 32;

/** The split with the codec comes last. */
export function demoContenders(entry: CutCodec): DemoContender[] {
  const tensors = entry.tensors.map(({ name }) => name);
  const codedBytes = entry.tensors.reduce((sum, { bytesPerFrame }) => sum + bytesPerFrame, 0);
  const rawBytes = (codedBytes * FLOAT32_BITS) / entry.bitsPerValue;
  const codec: SplitCodec = {
    kind: 'coded',
    tensors: entry.tensors.map(({ name, codec: one }) => ({ name, codec: one })),
    calibration: null,
  };
  const split = { kind: 'split', tensors } as const;
  return [
    { label: EDGE_LABEL, placement: { kind: 'edge' }, lossy: false, ...NOTHING },
    ...PICTURES.map((coding) => ({
      label: `cloud, ${describeCoding(coding)}`,
      placement: { kind: 'cloud', as: coding } as const,
      lossy: !isLossless(coding),
      ...NOTHING,
    })),
    { label: 'split, raw', placement: split, lossy: false, uplinkBytes: rawBytes, downlinkBytes: 0 },
    {
      label: codedLabel(entry),
      placement: { ...split, codec, ...(entry.folder === null ? {} : { tablesFrom: entry.folder }) },
      lossy: true,
      uplinkBytes: codedBytes,
      downlinkBytes: 0,
    },
  ];
}

export function codedLabel({ label }: CutCodec): string {
  return `split, ${label}`;
}

/** Bytes that nobody knows before. */
const NOTHING = { uplinkBytes: 0, downlinkBytes: 0 } as const;

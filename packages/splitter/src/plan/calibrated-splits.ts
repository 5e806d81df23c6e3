// Codecs that calibration measured at cuts -> a candidate for each, its times carried to the devices of the plan.
import { shorten } from '@kerf/onnx';
import { KerfError } from '@kerf/protocol';
import { type Candidate, canSend, crossingMs, headCosts, markHead } from './candidate.ts';
import type { CodecProfile, CutCodec } from './codec-profile.ts';
import type { CodingSpeed, CodingSpeeds } from './coding-speed.ts';
import type { PlanCosts } from './plan-costs.ts';
import type { DeviceProfile } from './profile.ts';

/** Entries that lose nothing are left out: the lossless codec has their bytes, at every cut. */
const NO_LOSS: ReadonlySet<string> = new Set(['raw', 'lossless']);

/**
 * In the order of the entries. Left out is what may not cross.
 * @throws {KerfError} INVALID_ARGUMENT for an entry whose tensors are no cut of the model.
 */
export function calibratedSplits(
  costs: PlanCosts,
  profiles: readonly CodecProfile[],
  devices: { readonly edge: DeviceProfile; readonly cloud: DeviceProfile },
): Candidate[] {
  const onEdge = new Uint8Array(costs.work.nodes.length);
  return profiles.flatMap((profile) =>
    profile.entries
      .filter(({ tensors }) => tensors.some(({ codec }) => !NO_LOSS.has(codec.kind)))
      .flatMap((entry) => candidateOf(costs, onEdge, { profile, entry, ...devices }) ?? []),
  );
}

interface Offer {
  readonly profile: CodecProfile;
  readonly entry: CutCodec;
  readonly edge: DeviceProfile;
  readonly cloud: DeviceProfile;
}

function candidateOf(costs: PlanCosts, onEdge: Uint8Array, offer: Offer): Candidate | null {
  const { profile, entry, edge, cloud } = offer;
  const crossing = crossingOf(costs, onEdge, entry);
  if (!crossing.every(({ name }) => canSend(costs, name))) return null;
  const names = crossing.map(({ name }) => name);
  const { coding } = profile.measuredOn;
  const uplinkBytes = crossing.reduce((sum, { bytes }) => sum + bytes, 0);
  const head = headCosts(costs, onEdge, names);
  return {
    ...head,
    crossing,
    codec: entry.label,
    uplinkBytes,
    encodeMs: entry.encodeMs * slower(entry, coding, edge.coding, 'encodeMsPerMegabyte'),
    decodeMs: entry.decodeMs * slower(entry, coding, cloud.coding, 'decodeMsPerMegabyte'),
    crossingMs: crossingMs(costs, uplinkBytes) + head.crossingMs,
    loss: Math.max(0, entry.lossPoints),
    fusion: names.map((name) => costs.valueByName.get(name)?.fusion ?? null).find((pair) => pair !== null) ?? null,
    sendsInput: names.some((name) => costs.rawValues.has(name)),
    calibrated: { metric: profile.metric, entry },
  };
}

/** What crosses where the entry cuts, marking the head. Inputs of the model that the entry leaves out are sent raw. */
function crossingOf(costs: PlanCosts, onEdge: Uint8Array, { tensors, label }: CutCodec): Candidate['crossing'] {
  const coded = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const isInput = (name: string): boolean => costs.graph.inputs.includes(name);
  markHead(costs, [...coded.keys()], onEdge);
  const crossing = costs.values
    .filter(
      ({ producer, consumers }) => (producer < 0 || onEdge[producer] === 1) && consumers.some((at) => onEdge[at] !== 1),
    )
    .map(({ name, profiled }) => {
      const tensor = coded.get(name);
      if (tensor === undefined) return { name, codec: 'raw', bytes: profiled?.bytes ?? 0 };
      return { name, codec: tensor.codec.kind, bytes: Math.ceil(tensor.bytesPerFrame) };
    });
  const names = new Set(crossing.map(({ name }) => name));
  const isCut =
    tensors.every(({ name }) => names.has(name)) &&
    crossing.every(({ name }) => coded.has(name) || isInput(name)) &&
    tensors.some(({ name }) => !isInput(name));
  if (isCut) return crossing;
  const shown = tensors.map(({ name }) => `'${shorten(name)}'`).join(' + ');
  throw new KerfError(
    'INVALID_ARGUMENT',
    `codecs: '${shorten(label)}' is for ${shown}, which is no cut of this model; calibrate at one that 'kerf cuts' lists`,
  );
}

/** How much longer a device takes than the machine of calibration, by the kind that says the most; 1 where nobody knows. */
function slower(
  { tensors }: CutCodec,
  measured: CodingSpeeds,
  device: CodingSpeeds | undefined,
  part: keyof CodingSpeed,
): number {
  const ratios = tensors.flatMap(({ codec: { kind } }) => {
    const [here, there] = kind === 'raw' ? [] : [device?.[kind]?.[part], measured[kind]?.[part]];
    return here === undefined || there === undefined || there <= 0 ? [] : [here / there];
  });
  return ratios.length === 0 ? 1 : Math.max(...ratios);
}

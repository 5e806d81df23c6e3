// A staged release and this device's runtime -> whether it gives the answers that it gave where it was published.
import {
  type Backend,
  float16Value,
  KerfError,
  type LoadedModel,
  type ModelSource,
  type Tensor,
  type TensorMap,
  typedView,
} from '@kerf/protocol';
import { type GoldenSample, readGoldenFile } from '../release/golden-file.ts';
import type { GoldenClaim, ReleaseFile, ReleaseManifest } from '../release/release-manifest.ts';
import type { DeviceDisk } from './device-disk.ts';
import { goldenFailed } from './golden-failed.ts';
import { placeText } from './release-cause.ts';

export interface GoldenReport {
  readonly samples: number;
  readonly values: number;
  /** The largest `|got - expected| / (absolute + relative * |expected|)`: above 1 the release is refused. */
  readonly worst: number;
  /** Where that was: `sample 2, output 'mask'`; null without samples. */
  readonly where: string | null;
  readonly backend: string;
}

export interface GoldenOptions {
  readonly slot: DeviceDisk;
  readonly manifest: ReleaseManifest;
  readonly backend: Backend;
  /** How the runtime is to open a file of the slot: a path in Node, bytes in a browser. */
  readonly open: (file: ReleaseFile) => Promise<ModelSource>;
  /** After the model is loaded, and after each sample. */
  readonly onSample?: () => void;
}

/**
 * Runs the golden samples. Nothing to do, and null, for a release without them.
 * @throws {KerfError} GOLDEN_FAILED for other answers; RELEASE_INVALID; what loading and running throw.
 */
export async function checkGolden({
  slot,
  manifest,
  backend,
  open,
  onSample = () => {},
}: GoldenOptions): Promise<GoldenReport | null> {
  const { golden } = manifest;
  if (golden === null) return null;
  const samples = readGoldenFile(await slot.read(golden.file));
  const model = await backend.load(await open(goldenModel(manifest)));
  try {
    onSample();
    return await compare(model, samples, golden, { backend: backend.name, onSample });
  } finally {
    await model.dispose();
  }
}

/** What the golden samples run through: the model, the head, or the first segment. */
export function goldenModel<F extends Pick<ReleaseFile, 'name' | 'role'>>({
  files,
  kind,
}: {
  readonly kind: ReleaseManifest['kind'];
  readonly files: readonly F[];
}): F {
  const role = kind === 'split' ? 'head' : kind === 'chain' ? 'segment' : 'model';
  const file = files.find((one) => one.role === role);
  if (file === undefined)
    throw new KerfError('RELEASE_INVALID', `a release of kind '${kind}' with golden samples has no ${role}`);
  return file;
}

async function compare(
  model: LoadedModel,
  samples: readonly GoldenSample[],
  claim: GoldenClaim,
  { backend, onSample }: { readonly backend: string; readonly onSample: () => void },
): Promise<GoldenReport> {
  let worst = 0;
  let where: { readonly sample: number; readonly output: string } | null = null;
  let values = 0;
  for (const [at, { inputs, outputs }] of samples.entries()) {
    const got = await model.run(inputs);
    onSample();
    for (const [name, expected] of outputs) {
      const distance = goldenDistance(got, name, expected, claim);
      values += expected.shape.reduce((product, size) => product * size, 1);
      if (where !== null && distance <= worst) continue;
      worst = distance;
      where = { sample: at, output: name };
    }
  }
  const report = { samples: samples.length, values, worst, where: where === null ? null : placeText(where), backend };
  if (worst <= 1 || where === null) return report;
  const at = { backend, madeBy: claim.madeBy, ...where };
  throw goldenFailed(
    Number.isFinite(worst) ? { kind: 'golden-differs', times: worst, ...at } : { kind: 'golden-incomparable', ...at },
    { details: { ...report } },
  );
}

/** The largest `|got - expected| / (absolute + relative * |expected|)`; infinite for another dtype, another shape, or a NaN where none was. */
export function goldenDistance(
  got: TensorMap,
  name: string,
  expected: Tensor,
  { absolute, relative }: Pick<GoldenClaim, 'absolute' | 'relative'>,
): number {
  const tensor = got.get(name);
  if (tensor?.dtype !== expected.dtype || tensor.shape.join() !== expected.shape.join())
    return Number.POSITIVE_INFINITY;
  const [is, was] = [numbersOf(tensor), numbersOf(expected)];
  let worst = 0;
  for (let at = 0; at < was.length; at++) {
    const [a, b] = [is[at] as number, was[at] as number];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    const distance = Math.abs(a - b) / (absolute + relative * Math.abs(b));
    worst = Math.max(worst, Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance);
  }
  return worst;
}

function numbersOf(tensor: Tensor): ArrayLike<number> {
  const view = typedView(tensor);
  if (view instanceof BigInt64Array || view instanceof BigUint64Array) return Array.from(view, Number);
  if (tensor.dtype === 'float16') return Float32Array.from(view as Uint16Array, float16Value);
  return view as ArrayLike<number>;
}

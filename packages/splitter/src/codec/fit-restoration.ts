// Levels of samples and the values that they came from -> how each channel follows best from what all of them say.
import {
  type LevelLayout,
  type LevelTable,
  levelLayout,
  quantiseLevels,
  type RestoredChannel,
  seededRandom,
  type Tensor,
  typedView,
} from '@kerf/protocol';
import { type ChannelCovariances, Covariances, type Places } from './covariances.ts';

/** Sources of a channel, itself included: more gain little, and each costs the decoder. */
const MOST_SOURCES = 9;
/** A source must leave this much less of what is not known yet; chance alone would leave less by a thousandth or two. */
const LEAST_GAIN = 0.005;
/** Makes weights a little smaller, as what is seen in samples never holds quite as much elsewhere. */
const RIDGE = 1e-3;
/** Places that are looked at: enough for the weights, and products of channels that a second is enough for. */
const PLACES = { least: 2048, most: 16_384, products: 1.5e8 };
/** Wider layers have no time for it. */
const MOST_CHANNELS = 512;

/**
 * Linear estimation with least squared error, each channel from a few sources, chosen one after another (orthogonal
 * matching pursuit; Pati, Rezaiifar and Krishnaprasad 1993).
 * @param tensors float32, finite, of shapes that the table is for
 * @returns null where there are too many channels, or no place to learn from
 */
export function fitRestoration(tensors: readonly Tensor[], table: LevelTable): RestoredChannel[] | null {
  const count = table.channels.length;
  if (count > MOST_CHANNELS) return null;
  const places = placesOf(tensors, table, count);
  if (places.size === 0) return null;
  const covariances = new Covariances(places);
  return table.channels.map((_, channel) => restored(covariances.of(channel), channel));
}

/** So much of the restoration, and for the rest each channel as its levels say it. @param strength 0 to 1 */
export function blended(fit: readonly RestoredChannel[], table: LevelTable, strength: number): RestoredChannel[] {
  return fit.map(({ sources, weights }, channel) => {
    const { values } = table.channels[channel] as { values: Float32Array };
    const mixed = [...weights].map((weight) => strength * weight);
    const own = sources.indexOf(channel);
    if (own >= 0) mixed[own + 2] = (mixed[own + 2] as number) + 1 - strength;
    else if (values.length === 1) mixed[0] = (mixed[0] as number) + (1 - strength) * (values[0] as number);
    else return { sources: Uint16Array.of(...sources, channel), weights: Float32Array.of(...mixed, 1 - strength) };
    return { sources, weights: Float32Array.from(mixed) };
  });
}

function placesOf(tensors: readonly Tensor[], table: LevelTable, channels: number): Places {
  const layouts = tensors.map(({ shape }) => levelLayout(shape, table));
  const total = layouts.reduce((sum, { batch, planeSize }) => sum + batch * planeSize, 0);
  const affordable = Math.floor(PLACES.products / channels ** 2);
  const size = Math.min(total, PLACES.most, Math.max(PLACES.least, affordable));
  const places = {
    channels,
    size,
    wanted: new Float32Array(channels * size),
    said: new Float32Array(channels * size),
    around: new Float32Array(channels * size),
  };
  const random = seededRandom(1);
  let done = 0;
  let seen = 0;
  for (const [index, tensor] of tensors.entries()) {
    const layout = layouts[index] as LevelLayout;
    seen += layout.batch * layout.planeSize;
    const until = Math.round((size * seen) / total);
    if (until > done) look(tensor, table, layout, { places, from: done, until, random });
    done = until;
  }
  return places;
}

interface Looking {
  readonly places: Places;
  readonly from: number;
  readonly until: number;
  readonly random: () => number;
}

function look(tensor: Tensor, table: LevelTable, layout: LevelLayout, { places, from, until, random }: Looking): void {
  const values = typedView(tensor as Tensor & { dtype: 'float32' });
  const levels = quantiseLevels(values, tensor.shape, table);
  const { batch, channels, planeSize, rows, columns, between, inner } = layout;
  for (let to = from; to < until; to++) {
    const place = Math.floor(random() * batch * planeSize);
    const item = Math.floor(place / planeSize);
    const inPlane = place % planeSize;
    const row = Math.floor(inPlane / columns);
    const column = inPlane % columns;
    const steps = [
      row > 0 ? -columns : 0,
      row < rows - 1 ? columns : 0,
      column > 0 ? -1 : 0,
      column < columns - 1 ? 1 : 0,
    ];
    const outer = item * between + Math.floor(inPlane / inner);
    for (let channel = 0; channel < channels; channel++) {
      const known = (table.channels[channel] as { values: Float32Array }).values;
      const at = (item * channels + channel) * planeSize + inPlane;
      const said = (level: number): number => known[levels[level] as number] as number;
      const slot = channel * places.size + to;
      places.wanted[slot] = values[(outer * channels + channel) * inner + (inPlane % inner)] as number;
      places.said[slot] = said(at);
      places.around[slot] = known.length === 1 ? 4 * said(at) : steps.reduce((sum, step) => sum + said(at + step), 0);
    }
  }
}

function restored(covariances: ChannelCovariances, channel: number): RestoredChannel {
  const chosen: number[] = [];
  let weights: number[] = [];
  const own = covariances.between(channel, channel) > 0 ? channel : null;
  for (let next = own ?? best(covariances, chosen, weights); next !== null; ) {
    chosen.push(next);
    weights = solved(covariances, chosen);
    next = chosen.length < MOST_SOURCES ? best(covariances, chosen, weights) : null;
  }
  let always = covariances.wantedMean;
  let around = 0;
  const sources: number[] = [];
  const factors: number[] = [];
  for (const [at, source] of chosen.entries()) {
    const weight = weights[at] as number;
    always -= weight * (covariances.means[source] as number);
    if (source === covariances.around) {
      around = weight;
    } else {
      sources.push(source);
      factors.push(weight);
    }
  }
  return { sources: Uint16Array.from(sources), weights: Float32Array.of(always, around, ...factors) };
}

/** The source that leaves the least error beside those that are there; null where none gains enough. */
function best(covariances: ChannelCovariances, chosen: readonly number[], weights: readonly number[]): number | null {
  const { wanted, withWanted, around } = covariances;
  const explained = chosen.reduce(
    (sum, source, at) => sum + (weights[at] as number) * (withWanted[source] as number),
    0,
  );
  let most = Math.max(0, wanted - explained) * LEAST_GAIN;
  let found: number | null = null;
  for (let source = 0; source <= around; source++) {
    const own = covariances.between(source, source);
    if (own <= 0 || chosen.includes(source)) continue;
    const known = chosen.reduce(
      (sum, other, at) => sum + (weights[at] as number) * covariances.between(other, source),
      0,
    );
    const gain = ((withWanted[source] as number) - known) ** 2 / own;
    if (gain <= most) continue;
    most = gain;
    found = source;
  }
  return found;
}

/** Weights with the least squared error, by elimination; the matrix is symmetric and, with its ridge, positive. */
function solved(covariances: ChannelCovariances, chosen: readonly number[]): number[] {
  const rows = chosen.map((source, at) => [
    ...chosen.map((other, column) => covariances.between(source, other) * (at === column ? 1 + RIDGE : 1)),
    covariances.withWanted[source] as number,
  ]);
  for (const [pivot, top] of rows.entries()) {
    for (const row of rows.slice(pivot + 1)) {
      const factor = (row[pivot] as number) / (top[pivot] as number);
      for (let column = pivot; column < row.length; column++) {
        row[column] = (row[column] as number) - factor * (top[column] as number);
      }
    }
  }
  const weights = chosen.map(() => 0);
  for (let at = chosen.length - 1; at >= 0; at--) {
    const row = rows[at] as number[];
    let sum = row[chosen.length] as number;
    for (let column = at + 1; column < chosen.length; column++) {
      sum -= (row[column] as number) * (weights[column] as number);
    }
    weights[at] = sum / (row[at] as number);
  }
  return weights;
}

// The command line of `kerf plan` -> profiles that are of this model, a link, constraints: what the planner is asked.
import { readFile } from 'node:fs/promises';
import type { ModelFile } from '@kerf/onnx/node';
import { KerfError } from '@kerf/protocol';
import {
  checkProfileModel,
  type DeviceProfile,
  LINK_FORMAT,
  type LinkProfile,
  losslessCodec,
  type PlanConstraints,
  type PlanRequest,
  PROFILE_FORMAT,
  parseDeviceProfile,
  parseLinkProfile,
  RAW_CODEC,
  statedLink,
} from '@kerf/splitter';
import { type CommandLine, usageError } from '../command.ts';
import { bitsPerSecond, byteSize, milliseconds } from '../units.ts';
import { named } from './named-error.ts';
import { readCodecs } from './read-codecs.ts';

/** What is taken for the round trip when nobody says. */
export const ASSUMED_ROUND_TRIP_MS = 40;

/** The request without images. @throws {KerfError} INVALID_ARGUMENT, FILE_NOT_FOUND. */
export async function readRequest(line: CommandLine, model: ModelFile): Promise<PlanRequest> {
  // What is wrong with the line itself is told before any file is read.
  const stated = line.text('link') === undefined ? linkOf(line) : null;
  if (stated === null) refuseBoth(line);
  const goal = line.choice('goal', ['latency', 'throughput'] as const, 'latency');
  const frameIntervalMs = intervalOf(line, goal);
  const request = {
    goal,
    constraints: constraintsOf(line),
    waitMs: milliseconds('wait', line.text('wait') ?? '0'),
    allowFusedCuts: line.flag('allow-fused'),
  };
  const [edgePath, cloudPath] = [profilePath(line, 'edge'), profilePath(line, 'cloud')];
  const edge = await readDevice('edge', edgePath, model);
  const cloud = await readDevice('cloud', cloudPath, model);
  const link = stated ?? (await readLink(line.required('link')));
  const calibrated = await readCodecs(line.texts('codecs'), model, edge);
  const lossless = losslessCodec({ edge, cloud, calibrated });
  const codecs = [RAW_CODEC, ...(lossless === null ? [] : [lossless])];
  const paced = frameIntervalMs === null ? link : { ...link, frameIntervalMs };
  return { ...request, edge, cloud, link: paced, codecs, calibrated };
}

/** Null where nobody says: frames follow one another at once. @throws {KerfError} INVALID_ARGUMENT beside what keeps a link busy. */
function intervalOf(line: CommandLine, goal: PlanRequest['goal']): number | null {
  const every = line.text('every');
  if (every === undefined) return null;
  const busy = goal === 'throughput' ? '--goal throughput' : line.flag('measure') ? '--measure' : null;
  if (busy === null) return milliseconds('every', every);
  throw usageError(`--every and ${busy} contradict each other: the latter has one frame follow another at once`);
}

/** @throws {KerfError} INVALID_ARGUMENT where the option is missing. */
export function profilePath(line: CommandLine, side: 'edge' | 'cloud'): string {
  const path = line.text(side);
  if (path !== undefined) return path;
  const where = side === 'edge' ? 'on the device' : 'on the server';
  throw usageError(`--${side} is needed: the profile that 'kerf profile MODEL' makes ${where}`);
}

/** @throws {KerfError} FILE_NOT_FOUND, INVALID_ARGUMENT for what is no profile, or of another model. */
export async function readDevice(side: 'edge' | 'cloud', path: string, model: ModelFile): Promise<DeviceProfile> {
  const profile = await readProfile(side, path, PROFILE_FORMAT, parseDeviceProfile);
  checkProfileModel(profile, model, side);
  return profile;
}

function readLink(path: string): Promise<LinkProfile> {
  return readProfile('link', path, LINK_FORMAT, parseLinkProfile);
}

async function readProfile<T>(option: string, path: string, format: string, parse: (json: unknown) => T): Promise<T> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new KerfError(
      'FILE_NOT_FOUND',
      `--${option}: the profile '${path}' is not there or cannot be read; 'kerf profile' makes profiles`,
      { cause },
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new KerfError('INVALID_ARGUMENT', `--${option}: '${path}' is no JSON, so it is no profile`, { cause });
  }
  const found = (json as { format?: unknown } | null)?.format;
  if (found !== format && (found === LINK_FORMAT || found === PROFILE_FORMAT)) {
    const [kind, wanted] =
      found === LINK_FORMAT ? ['a link', '--link'] : ['a device', option === 'link' ? '--edge or --cloud' : ''];
    throw usageError(`--${option}: '${path}' is the profile of ${kind}; it belongs to ${wanted}`);
  }
  return named(`--${option}: '${path}'`, () => parse(json));
}

const LINK_PARTS = ['uplink', 'downlink', 'rtt', 'jitter'] as const;

function refuseBoth(line: CommandLine): void {
  const both = LINK_PARTS.filter((name) => line.text(name) !== undefined);
  if (both.length === 0) return;
  throw usageError(
    `--link and --${both[0]} contradict each other: a link is either measured (--link FILE) or stated (--uplink, --rtt)`,
  );
}

function linkOf(line: CommandLine): LinkProfile {
  const uplink = line.text('uplink');
  if (uplink === undefined) {
    throw usageError(
      "the link is not known: say it, such as --uplink 20mbit --rtt 40ms, or give what 'kerf profile --link' measured as --link FILE",
    );
  }
  const downlink = line.text('downlink');
  const jitter = line.text('jitter');
  return statedLink({
    uplinkBitsPerSecond: bitsPerSecond('uplink', uplink),
    ...(downlink === undefined ? {} : { downlinkBitsPerSecond: bitsPerSecond('downlink', downlink) }),
    roundTripMs: milliseconds('rtt', line.text('rtt') ?? `${ASSUMED_ROUND_TRIP_MS}ms`),
    ...(jitter === undefined ? {} : { jitterMs: milliseconds('jitter', jitter) }),
  });
}

function constraintsOf(line: CommandLine): PlanConstraints {
  const keepOnEdge = line.texts('keep-on-edge');
  const memory = line.text('edge-memory');
  const deadline = line.text('deadline');
  return {
    ...(keepOnEdge.length === 0 ? {} : { keepOnEdge }),
    ...(line.flag('no-raw-input') ? { noRawInput: true } : {}),
    ...(memory === undefined ? {} : { maxEdgeWeightsBytes: byteSize('edge-memory', memory) }),
    ...(deadline === undefined ? {} : { deadlineMs: milliseconds('deadline', deadline) }),
    ...(line.text('max-loss') === undefined
      ? {}
      : { maxLoss: line.number('max-loss', 0, { least: 0, most: 100, whole: false }) }),
  };
}

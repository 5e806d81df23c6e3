// A device and its registry -> the device as the registry wants it, and the registry knowing how that went. One round; whoever
// calls it decides when the next one is. A registry that is down changes nothing on the device.
import type { Device } from '@kerf/delta-sync';
import { type ErrorCode, KerfError, messageOf } from '@kerf/protocol';
import type { CheckAnswer, Wish } from '../fleet/check.ts';
import type { RegistryClient } from './registry-client.ts';

/** What the device tells of itself besides what is installed. */
export interface DeviceFacts {
  readonly agent: string | null;
  readonly provider: string | null;
  readonly cut: string | null;
  readonly health: Readonly<Record<string, unknown>> | null;
}

/** Failures that the registry has been told of: the ids of their releases. Kept over restarts. */
export interface ToldFailures {
  read(): Promise<readonly string[]>;
  write(ids: readonly string[]): Promise<void>;
}

export interface FollowOptions {
  readonly client: RegistryClient;
  readonly device: Device;
  /** The model that the device runs. */
  readonly name: string;
  readonly facts: DeviceFacts;
  readonly told: ToldFailures;
  /** The device is to be left as it is: it reports, and installs nothing. @default false */
  readonly isHeld?: boolean;
  readonly signal?: AbortSignal;
}

export interface FollowReport {
  readonly wish: Wish | null;
  /**
   * `kept`: as it should be, or nothing is wanted. `probation`: a release has yet to prove itself. `held`: something is
   * wanted, and the device is to be left as it is.
   */
  readonly outcome: 'kept' | 'probation' | 'held' | 'waiting' | 'switched' | 'failed';
  /** Why it failed. */
  readonly reason: string | null;
  readonly checkAfterSeconds: number;
}

const MAX_REASON = 1000;

/** As a link that breaks and a disk that is full for now, nothing to hold against a release: the next round goes on. */
const NOT_THE_RELEASE: ReadonlySet<ErrorCode> = new Set(['CANCELLED', 'METADATA_EXPIRED']);

/** @throws {KerfError} REGISTRY_UNREACHABLE and what else the registry says; an installation that fails is an outcome. */
export async function followRegistry(options: FollowOptions): Promise<FollowReport> {
  const { client, device, name, facts } = options;
  await tell(options);
  const { active, trialStarts } = device.state;
  const answer = await client.json<CheckAnswer>('POST', '/v1/device/check', {
    ...facts,
    models: [{ name, installed: active?.id ?? null }],
  });
  const wish = answer.wishes.find((one) => one.name === name) ?? null;
  const { checkAfterSeconds } = answer;
  if (trialStarts !== null) return { wish, outcome: 'probation', reason: null, checkAfterSeconds };
  if (wish === null || wish.release === active?.id) return { wish, outcome: 'kept', reason: null, checkAfterSeconds };
  if (options.isHeld === true) return { wish, outcome: 'held', reason: null, checkAfterSeconds };
  return { wish, checkAfterSeconds, ...(await install(options, wish)) };
}

/** What has proved itself, and what the device has gone back from, since it was last said. */
async function tell({ client, device, told }: FollowOptions): Promise<void> {
  const { active, trialStarts, rejected } = device.state;
  if (active !== null && trialStarts === null) {
    await client.json('POST', '/v1/device/reports', { release: active.id, outcome: 'succeeded', reason: null });
  }
  const known = new Set(await told.read());
  for (const { id, reason } of rejected) {
    if (id === active?.id || known.has(id)) continue;
    const body = { release: id, outcome: 'failed', reason: reason.slice(0, MAX_REASON) || 'no reason given' };
    await client.json('POST', '/v1/device/reports', body);
    known.add(id);
    await told.write([...known]);
  }
}

async function install(
  { client, device, told, signal }: FollowOptions,
  wish: Wish,
): Promise<Pick<FollowReport, 'outcome' | 'reason'>> {
  try {
    const known = await told.read();
    // Wanted again: what becomes of it this time is news.
    if (known.includes(wish.release)) await told.write(known.filter((id) => id !== wish.release));
    const outcome = await device.update({
      version: wish.version,
      // The registry names an older one only when somebody there has decided so.
      allowOlder: wish.because !== 'rollout',
      ...(signal === undefined ? {} : { signal }),
    });
    return { outcome: outcome === 'current' ? 'kept' : outcome, reason: null };
  } catch (error) {
    if (!KerfError.is(error) || error.retryable || NOT_THE_RELEASE.has(error.code)) throw error;
    const reason = messageOf(error).slice(0, MAX_REASON);
    await client.json('POST', '/v1/device/reports', { release: wish.release, outcome: 'failed', reason });
    await told.write([...new Set([...(await told.read()), wish.release])]);
    return { outcome: 'failed', reason };
  }
}

// What a device that follows its registry tells of an installation that failed: the release's fault is one, the day's is not.
import type { Device } from '@kerf/delta-sync';
import { type ErrorCode, KerfError } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import { followRegistry, type RegistryClient } from '../src/index.ts';

const wish = { name: 'line', release: 'b'.repeat(64), version: '2', because: 'rollout' };

/** A round in which the installation ends with `code`. @returns outcome or code, and reports that were sent */
async function round(code: ErrorCode): Promise<{ ended: string; reports: unknown[] }> {
  const reports: unknown[] = [];
  const client = {
    json: async (_method: string, path: string, body: unknown) => {
      if (path === '/v1/device/check') return { wishes: [wish], checkAfterSeconds: 1 };
      reports.push(body);
      return undefined;
    },
  } as unknown as RegistryClient;
  const device = {
    state: { active: null, trialStarts: null, rejected: [] },
    update: () => Promise.reject(new KerfError(code, 'why')),
  } as unknown as Device;
  const facts = { agent: null, provider: null, cut: null, health: null };
  const told = { read: async () => [], write: async () => {} };
  try {
    return { ended: (await followRegistry({ client, device, name: 'line', facts, told })).outcome, reports };
  } catch (error) {
    return { ended: (error as KerfError).code, reports };
  }
}

describe('an installation that fails', () => {
  it.each(['GOLDEN_FAILED', 'RUNTIME_TOO_OLD', 'TRUST_FAILED'] as const)('is told: %s', async (code) => {
    expect(await round(code)).toMatchObject({ ended: 'failed', reports: [{ outcome: 'failed', reason: 'why' }] });
  });

  it.each(['METADATA_EXPIRED', 'CLOCK_WRONG', 'DISK_FULL', 'MIRROR_UNAVAILABLE'] as const)(
    'is tried again without a word: %s',
    async (code) => {
      expect(await round(code)).toEqual({ ended: code, reports: [] });
    },
  );
});

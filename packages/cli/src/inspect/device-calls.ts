// What the screens Updates and Health ask of the device and its fleet -> answers, each desk doing its part.
import { resolve } from 'node:path';
import type { AuditView, Caller, CallName, CallParams, CallResults, UpdatesResults, UpdatesView } from '@kerf/bridge';
import type { StationFile } from '@kerf/edge-runtime/node';
import { refused } from '../refusal.ts';
import { repositoryDrives } from '../update/drives.ts';
import type { UpdateDesk } from '../update/update-desk.ts';
import { type Diagnostics, diagnosticsBundle } from './diagnostics.ts';
import type { FleetDesk } from './fleet-desk.ts';
import { testLink } from './link-test.ts';
import { selfTest } from './self-test.ts';
import type { StationAudit } from './station-audit.ts';
import { Stoppable } from './stoppable.ts';

export interface DeviceDesks {
  /** The station file with the release that runs now. */
  readonly fileNow: () => StationFile;
  /** Null: the station's model is no device's release. */
  readonly updates: UpdateDesk | null;
  readonly fleet: FleetDesk;
  readonly audit: StationAudit;
}

type Answers<N extends CallName> = {
  readonly [K in N]: (params: CallParams<K>, caller: Caller) => CallResults[K] | Promise<CallResults[K]>;
};

const AUDIT_LINES = 100;

/** @param line what the station knows of itself, for the diagnostics */
export function deviceCalls(
  { fileNow, updates, fleet, audit }: DeviceDesks,
  line: () => Promise<Pick<Diagnostics, 'health' | 'line' | 'records'>>,
): Answers<keyof UpdatesResults> {
  const desk = (): UpdateDesk => {
    if (updates !== null) return updates;
    throw refused({ kind: 'no-device' });
  };
  const begun = (work: (desk: UpdateDesk) => unknown): null => {
    work(desk());
    return null;
  };
  const tests = new Stoppable();
  return {
    'updates.view': () => updates?.view ?? null,
    'updates.look': (params) => begun((one) => one.look(params)),
    'updates.drives': () => repositoryDrives(),
    'updates.fetch': (params) => begun((one) => one.fetch(params)),
    'updates.cancel': () => begun((one) => one.cancel()),
    'updates.canary': () => begun((one) => one.canary()),
    'updates.apply': (params, { name }) => begun((one) => one.apply(params, name)),
    'updates.confirm': async (params, { name }) => {
      await desk().confirm(params, name);
      return null;
    },
    'updates.rollBack': (params, { name }) => begun((one) => one.rollBack(params, name)),
    'updates.settings': (params): Promise<UpdatesView> => desk().change(params),
    'fleet.view': () => fleet.view(),
    'fleet.steer': (params, { name }) => fleet.steer(params, name),
    'health.link': (_, { name }) => tests.run(name, (signal) => testLink(fileNow(), signal)),
    'health.selfTest': (_, { name }) => {
      const { config, folder } = fileNow();
      return tests.run(name, (signal) => selfTest(resolve(folder, config.model.path), config.model.provider, signal));
    },
    'health.cancel': (_, { name }) => {
      tests.stop(name);
      return null;
    },
    'health.audit': ({ limit }): Promise<AuditView> => audit.view(limit),
    'health.bundle': async () =>
      diagnosticsBundle(
        {
          station: fileNow().config.station,
          config: fileNow().config,
          ...(await line()),
          updates: updates?.view ?? null,
          audit: await audit.view(AUDIT_LINES),
        },
        new Date(),
      ),
  };
}

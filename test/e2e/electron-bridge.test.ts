// The bridge over Electron's own ports, as the desktop app has them: preload script, context bridge, main, utility process.
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { describeBridge } from '../../packages/bridge/test/bridge-cases.ts';
import { findElectron } from '../support/ensure-electron.mjs';
import { reasonNotToRun } from './support/desktop.ts';
import { type ElectronPorts, openElectronPorts } from './support/electron-ports.ts';

const { folder, reason: missing } = findElectron();
const reason = missing ?? reasonNotToRun(folder, join(folder, 'electron'));

describe.skipIf(reason !== null)(`Electron's ports${reason === null ? '' : ` (${reason})`}`, () => {
  let ports: ElectronPorts;
  beforeAll(async () => {
    ports = await openElectronPorts(folder as string);
  });
  afterAll(() => ports?.close());

  describeBridge('ports of Electron', (accept) =>
    Promise.resolve({
      connect: async () => {
        const { page, station } = await ports.connect();
        accept(station);
        return page;
      },
      breakLinks: () => ports.killStation(),
      dispose: async () => {},
    }),
  );
});

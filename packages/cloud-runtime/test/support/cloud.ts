// Clouds and clients that end with the test.
import { afterEach } from 'vitest';
import { type Cloud, type CloudOptions, type LogEvent, startCloud } from '../../src/index.ts';
import { TestClient } from './client.ts';
import { temporaryFolder } from './models.ts';

const clouds: Cloud[] = [];
const clients: TestClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await Promise.all(clouds.splice(0).map((cloud) => cloud.close()));
});

export interface TestCloud extends Cloud {
  readonly events: LogEvent[];
}

export async function serveModels(modelsDir: string, options: Partial<CloudOptions> = {}): Promise<TestCloud> {
  const events: LogEvent[] = [];
  const cloud = await startCloud({
    modelsDir,
    stateDir: sharedState(),
    port: 0,
    auth: { kind: 'none' },
    log: (event) => events.push(event),
    ...options,
  });
  clouds.push(cloud);
  return Object.assign(cloud, { events });
}

/** One certificate for all clouds of a test file. */
let state: string | null = null;
function sharedState(): string {
  state ??= temporaryFolder();
  return state;
}

export function client(cloud: Cloud): TestClient {
  const made = new TestClient(cloud);
  clients.push(made);
  return made;
}

/** A client that has greeted and opened `model` as session 1. */
export async function opened(cloud: Cloud, model: string, token: string | null = null): Promise<TestClient> {
  const made = await client(cloud).hello(token);
  await made.open(model);
  return made;
}

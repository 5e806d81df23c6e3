// A registry of several on one PostgreSQL, as a process: `node shared-registry.mjs URL SCHEMA BLOBS WORK`. Short leases, so that a
// test need not wait a minute for the dead. Says its address, and each of its events, as lines of JSON.
import { anyoneMay } from '@kerf/access';
import { openFolderBlobs, openPostgresql, startRegistry } from '@kerf/registry';

const [url, schema, blobs, workFolder] = process.argv.slice(2);
const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const registry = await startRegistry({
  database: await openPostgresql({ url, schema }),
  blobs: await openFolderBlobs(blobs),
  workFolder,
  verify: anyoneMay,
  certificate: null,
  port: 0,
  limits: { deltaLeaseMs: 2000, tickMs: 300 },
  log: say,
});
say({ event: 'listening', url: registry.url });

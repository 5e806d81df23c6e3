// The process of bsdiff: two files -> a BSDIFF40 patch, within a limit of memory. Speaks with its parent over Node's own channel.
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';
import { type BsdiffJob, EXIT } from './bsdiff-job.ts';

interface BsdiffModule {
  diff(old: string, fresh: string, patch: string): Promise<void>;
}

const WATCH_MS = 20;

process.once('message', (job: BsdiffJob) => {
  // A parent that is gone cleans nothing up.
  process.once('disconnect', () => {
    rmSync(job.folder, { recursive: true, force: true });
    process.exit(EXIT.failed);
  });
  // The native code runs beside the event loop, and knows no limit of its own.
  setInterval(() => {
    if (process.memoryUsage.rss() > job.maxRssBytes) process.exit(EXIT.memory);
  }, WATCH_MS);
  const bsdiff = load();
  if (bsdiff === null) process.exit(EXIT.missing);
  bsdiff.diff(job.old, job.fresh, job.patch).then(
    () => process.exit(EXIT.made),
    () => process.exit(EXIT.failed),
  );
});

function load(): BsdiffModule | null {
  try {
    return createRequire(import.meta.url)('bsdiff-node') as BsdiffModule;
  } catch {
    return null;
  }
}

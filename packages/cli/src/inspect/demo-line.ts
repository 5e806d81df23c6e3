// A folder -> the demo line: a station file on the reference model, and parts that come by again and again.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { KerfError } from '@kerf/protocol';
import { makeFolders } from '@kerf/protocol/node';

/** Between two parts. */
const INTERVAL_MS = 1_500;

/** What the reference model was measured to cost on some device: a Cut screen from the first start on. */
const PROFILE = 'model.profile.json';

export interface DemoLine {
  readonly stationPath: string;
  /** Begins to hand parts to the line; the returned function ends that. */
  feed(): () => void;
}

/**
 * Thresholds that were changed in an earlier run stay.
 * @throws {KerfError} FILE_NOT_FOUND when the Inspector was not built.
 */
export async function prepareDemoLine(folder: string): Promise<DemoLine> {
  const assets = join(dirname(createRequire(import.meta.url).resolve('@kerf/inspector/package.json')), 'dist/demo');
  const names = (await readdir(join(assets, 'parts')).catch((): string[] => [])).sort();
  if (names.length === 0) throw new KerfError('FILE_NOT_FOUND', "the demo line is not built: run 'npm run build'");
  const incoming = join(folder, 'in');
  // What an earlier run left over is not looked at again.
  await rm(incoming, { recursive: true, force: true });
  await makeFolders(incoming);
  const stationPath = join(folder, 'line.yaml');
  // What was measured here in an earlier run stays as well.
  const profilePath = join(folder, PROFILE);
  if (!existsSync(profilePath)) await copyFile(join(assets, PROFILE), profilePath);
  if (!existsSync(stationPath)) await writeFile(stationPath, stationFile(join(assets, 'model.onnx')));
  return {
    stationPath,
    feed() {
      const run = randomBytes(3).toString('hex');
      let count = 0;
      let ended = false;
      const next = async (): Promise<void> => {
        const from = join(assets, 'parts', names[count % names.length] as string);
        const name = `${run}-${String(count++).padStart(5, '0')}`;
        await copyFile(from, join(incoming, `.${name}`));
        await rename(join(incoming, `.${name}`), join(incoming, `${name}.webp`));
      };
      const turn = (): void => {
        if (ended) return;
        // A folder that somebody removes ends the parts, not the station.
        next().then(
          () => setTimeout(turn, INTERVAL_MS),
          () => {},
        );
      };
      turn();
      return () => {
        ended = true;
      };
    },
  };
}

function stationFile(model: string): string {
  return `# The demo line: generated parts, judged by the reference model on this device.
format: kerf-station/1
station: demo
source:
  kind: folder
  path: in
  partId: "^[^.]+"
  whenRead: delete
  simulated: true
  settle: 0 ms
model:
  path: ${JSON.stringify(model)}
task:
  kind: anomaly
deadline: 5 s
samples:
  path: samples
  near: 0.1
sinks:
  - kind: json-lines
    path: results.jsonl
`;
}

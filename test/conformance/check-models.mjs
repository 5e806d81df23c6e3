// A list of model files -> one result each, from child processes that a crash or an endless run costs a model, not the list.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

const WORKER = path.join(import.meta.dirname, 'split-every-cut.mjs');

/** Models that one child checks: ONNX Runtime keeps some memory of each. */
const MODELS_PER_CHILD = 50;

/**
 * Results in order: `{file, cuts, planned, note, ended}`. `note` says why nothing was compared; `ended` what went wrong
 * with the model as a whole, a crash included; both are null as a rule.
 */
export async function* checkModels(files, options = {}) {
  for (let at = 0; at < files.length; ) {
    const batch = files.slice(at, at + MODELS_PER_CHILD);
    // A child that died ends the batch early: the rest gets another.
    for await (const result of checkBatch(batch, options)) {
      at++;
      yield result;
    }
  }
}

/** Every cut of one model. */
export async function checkModel(file, options) {
  for await (const result of checkModels([file], options)) return result;
  return null;
}

async function* checkBatch(
  files,
  { maxCuts = 200, seed = 1, level = 'disabled', isMadeUp = false, timeoutMs = 600_000 },
) {
  const flags = [
    '--max-cuts',
    String(maxCuts),
    '--seed',
    String(seed),
    '--level',
    level,
    ...(isMadeUp ? ['--made-up'] : []),
  ];
  const child = spawn(process.execPath, [WORKER, ...flags, '--', ...files], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ending = once(child, 'close');
  let problem = '';
  child.stderr.on('data', (chunk) => (problem = (problem + chunk).slice(-4000)));
  let timer = null;
  let current = null;
  for await (const line of createInterface({ input: child.stdout })) {
    const row = JSON.parse(line);
    if (row.kind === 'begin') {
      clearTimeout(timer);
      timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
      current = { file: row.file, cuts: [], planned: null, note: null, ended: null };
    } else if (row.kind === 'model') current.planned = row.cuts;
    else if (row.kind === 'cut') current.cuts.push(row);
    else {
      yield { ...current, note: row.note, ended: row.fault };
      current = null;
    }
  }
  clearTimeout(timer);
  const [status, signal] = await ending;
  if (status === 0) return;
  const ended = `${signal ?? `status ${status}`}: ${lastError(problem)}`;
  yield { ...(current ?? { file: files[0], cuts: [], planned: null, note: null }), ended };
}

function lastError(text) {
  const lines = text.split('\n').filter((line) => /Error|kerf/.test(line));
  return (lines[0] ?? text.trim().split('\n').at(-1) ?? '').slice(0, 300);
}

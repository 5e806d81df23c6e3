// A folder of models -> counts of cuts at which head then tail equals the whole bit for bit.
// Usage: node test/conformance/corpus.mjs [--corpus DIR] [--only TEXT] [--max-cuts N] [--level L] [--made-up] [--json FILE]
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const WORKER = path.join(HERE, 'split-every-cut.mjs');

/** The corpus: KERF_CORPUS, else the folder beside the repository. */
export const corpusFolder = () =>
  path.resolve(process.env.KERF_CORPUS ?? path.join(HERE, '..', '..', '..', 'shared', 'corpus'));

/** Exceptions that are known and explained: `{model: {reason, cuts?}}`. */
export const knownExceptions = () => JSON.parse(fs.readFileSync(path.join(HERE, 'exceptions.json'), 'utf8'));

/** Every cut of a model in a child process. */
export function checkModel(file, { maxCuts = 200, level = 'disabled', isMadeUp = false, timeoutMs = 120_000 } = {}) {
  return new Promise((resolve) => {
    const args = [WORKER, file, '--max-cuts', String(maxCuts), '--level', level, ...(isMadeUp ? ['--made-up'] : [])];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let problem = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => (problem = (problem + chunk).slice(-4000)));
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      const rows = out
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line));
      const cuts = rows.filter((row) => row.kind === 'cut');
      const ended = status === 0 ? null : `${signal ?? `status ${status}`}: ${lastError(problem)}`;
      resolve({ cuts, planned: rows.find((row) => row.kind === 'model')?.cuts ?? null, ended });
    });
  });
}

function lastError(text) {
  const lines = text.split('\n').filter((line) => /Error|kerf/.test(line));
  return (lines[0] ?? text.trim().split('\n').at(-1) ?? '').slice(0, 300);
}

/** A model's result as counts and the faults that no exception explains. */
export function judge(name, result, exceptions) {
  const count = (verdict) => result.cuts.filter((cut) => cut.result === verdict).length;
  const faults = result.cuts.filter((cut) => cut.result !== 'bit-equal' && !isExpected(cut));
  if (result.ended !== null) faults.push({ result: 'ended', message: result.ended });
  return {
    name,
    cuts: result.cuts.length,
    bitEqual: count('bit-equal'),
    withinTolerance: count('within tolerance'),
    differs: count('differs'),
    cannotCross: count('cannot cross'),
    errors: count('error'),
    faults: exceptions[name] === undefined ? faults : [],
    excused: exceptions[name] === undefined ? 0 : faults.length,
  };
}

/** Half precision is compared with tolerance; what is no tensor is refused. */
function isExpected(cut) {
  return cut.result === 'cannot cross' || (cut.result === 'within tolerance' && cut.expected === 'within tolerance');
}

async function main() {
  const { values } = parseArgs({
    options: {
      corpus: { type: 'string' },
      only: { type: 'string' },
      'max-cuts': { type: 'string', default: '200' },
      level: { type: 'string', default: 'disabled' },
      'made-up': { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  });
  const folder = values.corpus ?? corpusFolder();
  if (!fs.existsSync(path.join(folder, 'models.json'))) {
    console.log(`skipped: there is no corpus at ${folder}; set KERF_CORPUS`);
    return;
  }
  const models = JSON.parse(fs.readFileSync(path.join(folder, 'models.json'), 'utf8'));
  const exceptions = knownExceptions();
  const rows = [];
  for (const { name, path: file } of models) {
    if (values.only !== undefined && !name.includes(values.only)) continue;
    const options = { maxCuts: Number(values['max-cuts']), level: values.level, isMadeUp: values['made-up'] };
    const row = judge(name, await checkModel(path.join(folder, 'models', file), options), exceptions);
    rows.push(row);
    const { cuts, bitEqual, withinTolerance, differs, cannotCross, errors, excused } = row;
    console.log(
      `${name}: ${cuts} cuts, ${bitEqual} bit-equal, ${withinTolerance} within tolerance, ${differs} differ, ${cannotCross} cannot cross, ${errors} errors, ${excused} excused`,
    );
    for (const fault of row.faults.slice(0, 3)) console.log(`  ${JSON.stringify(fault).slice(0, 400)}`);
  }
  const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
  const faults = rows.reduce((total, row) => total + row.faults.length, 0);
  console.log(
    `${rows.length} models, ${sum('cuts')} cuts: ${sum('bitEqual')} bit-equal, ${sum('withinTolerance')} within tolerance, ${sum('differs')} differ, ${sum('cannotCross')} cannot cross, ${sum('errors')} errors; ${faults} unexplained, ${sum('excused')} excused`,
  );
  if (values.json !== undefined) fs.writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);
  process.exitCode = faults === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();

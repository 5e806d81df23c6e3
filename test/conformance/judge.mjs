// What became of a model's cuts -> counts, and the faults that no committed exception explains.
import fs from 'node:fs';
import path from 'node:path';

/** Exceptions that are known and explained: `{model: {reason}}`. */
export const knownExceptions = () =>
  JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'exceptions.json'), 'utf8'));

export function judge(name, result, exceptions) {
  const count = (verdict) => result.cuts.filter((cut) => cut.result === verdict).length;
  const faults = result.cuts.filter((cut) => !isExpected(cut));
  if (result.ended !== null) faults.push({ result: 'ended', message: result.ended });
  if (result.ended === null && result.planned !== null && result.cuts.length !== result.planned) {
    faults.push({ result: 'ended', message: `${result.cuts.length} of ${result.planned} cuts were reached` });
  }
  const isKnown = Object.hasOwn(exceptions, name);
  return {
    name,
    note: result.note,
    cuts: result.cuts.length,
    bitEqual: count('bit-equal'),
    withinTolerance: count('within tolerance'),
    differs: count('differs'),
    cannotCross: count('cannot cross'),
    loads: count('loads'),
    unsound: count('unsound'),
    errors: count('error'),
    faults: isKnown ? [] : faults,
    excused: isKnown ? faults.length : 0,
  };
}

/** Half precision is compared with tolerance; what is no tensor is refused; what nothing runs is loaded. */
function isExpected(cut) {
  if (cut.result === 'bit-equal' || cut.result === 'cannot cross' || cut.result === 'loads') return true;
  return cut.result === 'within tolerance' && cut.expected === 'within tolerance';
}

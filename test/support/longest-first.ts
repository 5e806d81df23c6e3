// The order of test files -> those that wait much go first, so that none of them is left alone at the end of a run.
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Of test/e2e, by the time they take, longest first. */
const LONGEST = ['inspector-updates', 'station-shadow', 'station-chain', 'inspector-remote', 'station-updates'];

const place = ({ moduleId }: TestSpecification): number => {
  const at = LONGEST.findIndex((name) => moduleId.endsWith(`/e2e/${name}.test.ts`));
  return at < 0 ? LONGEST.length : at;
};

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}

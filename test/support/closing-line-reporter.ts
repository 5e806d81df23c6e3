// vitest's default output, then the line `N passed, N failed, N skipped`, after the reason of each skip and failure.
import { mkdirSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { SerializedError } from 'vitest';
import type { TestCase, TestModule, TestSuite } from 'vitest/node';
import { DefaultReporter } from 'vitest/node';

export default class ClosingLineReporter extends DefaultReporter {
  override onTestRunEnd(...run: Parameters<DefaultReporter['onTestRunEnd']>): void {
    super.onTestRunEnd(...run);
    const [modules, unhandledErrors] = run;
    const tests = modules.flatMap((module: TestModule) => [...module.children.allTests()]);
    const count = (state: string): TestCase[] => tests.filter((test) => test.result().state === state);
    const skipped = count('skipped');
    for (const test of skipped) {
      const result = test.result();
      console.log(`skipped: ${test.fullName}: ${('note' in result ? result.note : undefined) ?? 'no reason given'}`);
    }
    for (const test of tests.filter((each) => each.diagnostic()?.flaky === true)) {
      console.log(`unsteady: ${test.fullName}: failed at first and passed when it ran again`);
    }
    // A file or suite that does not even load has no test that could fail.
    const suites = modules.flatMap((module: TestModule) => [module, ...module.children.allSuites()]);
    const broken = suites.filter((suite) => suite.errors().length > 0);
    const failures = [
      ...count('failed').map(
        (test) => `${test.module.relativeModuleId} > ${test.fullName}: ${firstLine(test.result().errors?.[0])}`,
      ),
      ...broken.map((suite) => `${nameOf(suite)}: ${firstLine(suite.errors()[0])}`),
      ...unhandledErrors.map((error) => `outside of any test${whereOf(error)}: ${firstLine(error)}`),
    ];
    const totals = { passed: count('passed').length, failed: failures.length, skipped: skipped.length, failures };
    const file = process.env['KERF_TEST_TOTALS'];
    if (file !== undefined) {
      mkdirSync('.vitest', { recursive: true });
      writeFileSync(`.vitest/${file}.json`, JSON.stringify(totals));
    }
    for (const failure of failures) console.log(`failed: ${failure}`);
    console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  }
}

function nameOf(suite: TestModule | TestSuite): string {
  return suite.type === 'module' ? suite.relativeModuleId : suite.fullName;
}

/** Which test file it came from, and which test of it was running, as far as vitest knows. */
function whereOf({ VITEST_TEST_PATH: path, VITEST_TEST_NAME: name }: SerializedError): string {
  const file = typeof path === 'string' ? `, ${relative(process.cwd(), path)}` : '';
  return typeof name === 'string' ? `${file} > ${name}` : file;
}

function firstLine(error: SerializedError | undefined): string {
  return (error?.message ?? 'no message').split('\n')[0] ?? '';
}

// vitest's default output, then the line `N passed, N failed, N skipped`, with the reason of each skip before it.
import { mkdirSync, writeFileSync } from 'node:fs';
import type { TestCase, TestModule } from 'vitest/node';
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
    // A file or suite that does not even load has no test that could fail.
    const suites = modules.flatMap((module: TestModule) => [module, ...module.children.allSuites()]);
    const broken = suites.filter((suite) => suite.errors().length > 0).length + unhandledErrors.length;
    const totals = { passed: count('passed').length, failed: count('failed').length + broken, skipped: skipped.length };
    const file = process.env['KERF_TEST_TOTALS'];
    if (file !== undefined) {
      mkdirSync('.vitest', { recursive: true });
      writeFileSync(`.vitest/${file}.json`, JSON.stringify(totals));
    }
    console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  }
}

// The placements of a plan -> where the time of a frame goes in each.
import { type Html, html } from '../../page/html.ts';
import { PLACE_LEGEND, waterfallChart } from '../../page/waterfall.ts';
import type { PlannedReport, PlanRow } from '../report.ts';
import { section } from './words.ts';

/** A bar this many times as long as the choice's leaves the picture: otherwise the choice could not be read. */
const LONGEST = 5;

export function timeSection(report: PlannedReport): Html {
  const { choice } = report;
  const falls = comparedRows(report).map(({ row, mark }) => ({ label: row.label, mark, spans: row.parts }));
  const longest = Math.max(...falls.map(({ spans }) => spans.reduce((sum, { ms }) => sum + ms, 0)));
  const isTorn = longest > choice.latencyMs * LONGEST && choice.latencyMs > 0;
  const torn = isTorn ? ' A bar with a torn end goes on: its number is right.' : '';
  return section(
    {
      id: 'time',
      title: 'Where does the time of a frame go?',
      note: `Each bar is one placement; its parts follow one another, in milliseconds. Shorter is better.${torn}`,
    },
    html`${PLACE_LEGEND}${waterfallChart(falls, isTorn ? choice.latencyMs * LONGEST : undefined)}`,
  );
}

/** The choice, the runner-up and the best of each placement, each once, with what it is. */
export function comparedRows({ bestOf, choice, runnerUp }: PlannedReport): { row: PlanRow; mark: string }[] {
  const named: [PlanRow | null, string][] = [
    [choice, 'the choice'],
    [runnerUp, 'runner-up'],
    [bestOf.edge, ''],
    [bestOf.split, 'best split'],
    [bestOf.cloud, ''],
  ];
  const seen = new Set<string>();
  return named.flatMap(([row, mark]) => {
    if (row === null || seen.has(row.label)) return [];
    seen.add(row.label);
    return [{ row, mark }];
  });
}

// traceparent, and spans on their way to a collector: batches, bounds, and a collector that is away.
import { describe, expect, test } from 'vitest';
import {
  type FinishedSpan,
  formatTraceparent,
  parseTraceparent,
  SpanExporter,
  type SpanExporterOptions,
  seededRandom,
  startTrace,
} from '../src/index.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('a traceparent', () => {
  test('is read and written', () => {
    const context = { traceId: TRACE, spanId: SPAN, sampled: true };
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-01`)).toEqual(context);
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-02`)).toEqual({ ...context, sampled: false });
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-comes-later`)).toEqual(context);
    expect(formatTraceparent(context)).toBe(`00-${TRACE}-${SPAN}-01`);
  });

  test('that is none is no error', () => {
    const wrong = [
      null,
      '',
      'x',
      `ff-${TRACE}-${SPAN}-01`,
      `00-${'0'.repeat(32)}-${SPAN}-01`,
      `00-${TRACE}-${'0'.repeat(16)}-01`,
      `00-${TRACE}-${SPAN}-01-more`,
      `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    ];
    for (const text of wrong) expect(parseTraceparent(text)).toBeNull();
  });

  test('begins a trace, or goes on with one', () => {
    const random = seededRandom(1);
    const root = startTrace(random);
    const child = startTrace(random, root);
    expect(parseTraceparent(formatTraceparent(root))).toEqual(root);
    expect(child.traceId).toBe(root.traceId);
    expect(child.spanId).not.toBe(root.spanId);
    expect(startTrace(() => 0).traceId).toMatch(/^0{31}1$/);
  });
});

const span = (name: string, more: Partial<FinishedSpan> = {}): FinishedSpan => ({
  traceId: TRACE,
  spanId: SPAN,
  parentSpanId: null,
  name,
  kind: 'internal',
  startMs: 1_700_000_000_000.25,
  endMs: 1_700_000_000_001,
  attributes: {},
  error: null,
  ...more,
});

/** A clock whose timers run when they are told, and a collector that answers as it is told. */
function rig(more: Partial<SpanExporterOptions> = {}) {
  const timers: (() => void)[] = [];
  // oxlint-disable-next-line typescript/no-explicit-any -- a test reads into them
  const bodies: any[] = [];
  let status = 200;
  const exporter = new SpanExporter({
    endpoint: 'http://collector:4318',
    serviceName: 'test',
    clock: {
      nowMs: () => 0,
      after: (_ms, task) => {
        timers.push(task);
        return () => void timers.splice(timers.indexOf(task), 1);
      },
    },
    post: (url, headers, body) => {
      bodies.push({ url, headers, ...JSON.parse(body) });
      return status === 0 ? Promise.reject(new Error('away')) : Promise.resolve(status);
    },
    ...more,
  });
  const names = (): string[][] =>
    bodies.map((body) => body.resourceSpans[0].scopeSpans[0].spans.map(({ name }: { name: string }) => name));
  return {
    exporter,
    bodies,
    names,
    answer: (next: number) => void (status = next),
    tick: async () => {
      timers.splice(0).forEach((task) => task());
      await exporter.flush();
    },
  };
}

describe('spans', () => {
  test('are sent as OTLP says, together', async () => {
    const { exporter, bodies, tick, names } = rig({
      headers: { 'x-team': 'line' },
      resource: { 'kerf.site': 'north' },
    });
    exporter.add(span('a', { parentSpanId: SPAN, kind: 'server', attributes: { n: 3, f: 0.5, ok: true, t: 'x' } }));
    exporter.add(span('b', { error: 'it broke' }));
    expect(bodies).toEqual([]);
    await tick();
    expect(names()).toEqual([['a', 'b']]);
    const [body] = bodies;
    expect([body.url, body.headers['x-team'], body.headers['content-type']]).toEqual([
      'http://collector:4318/v1/traces',
      'line',
      'application/json',
    ]);
    expect(body.resourceSpans[0].resource.attributes).toContainEqual({
      key: 'service.name',
      value: { stringValue: 'test' },
    });
    const [a, b] = body.resourceSpans[0].scopeSpans[0].spans;
    expect(a).toEqual({
      traceId: TRACE,
      spanId: SPAN,
      parentSpanId: SPAN,
      name: 'a',
      kind: 2,
      startTimeUnixNano: '1700000000000250000',
      endTimeUnixNano: '1700000000001000000',
      attributes: [
        { key: 'n', value: { intValue: '3' } },
        { key: 'f', value: { doubleValue: 0.5 } },
        { key: 'ok', value: { boolValue: true } },
        { key: 't', value: { stringValue: 'x' } },
      ],
    });
    expect(b.status).toEqual({ code: 2, message: 'it broke' });
  });

  test('wait in a bounded queue while the collector is away, and are dropped when it refuses them', async () => {
    const { exporter, tick, answer, names } = rig({ maxQueued: 3, maxBatch: 2 });
    answer(0);
    for (const name of ['a', 'b', 'c', 'd']) exporter.add(span(name));
    await tick();
    exporter.add(span('e'));
    expect(exporter.dropped).toBe(2);
    answer(503);
    await tick();
    answer(200);
    await tick();
    // `d` and `e` found the queue full, what is under way included.
    expect(names().slice(-2)).toEqual([['a', 'b'], ['c']]);
    answer(400);
    exporter.add(span('f'));
    await tick();
    expect(exporter.dropped).toBe(3);
    await exporter.close();
    exporter.add(span('g'));
    expect(exporter.dropped).toBe(4);
  });

  test('need an address', () => {
    expect(() => rig({ endpoint: 'collector' })).toThrow(/address/);
    expect(() => rig({ endpoint: 'ftp://x' })).toThrow(/address/);
  });
});

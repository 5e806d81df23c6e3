// A station file: defaults, what is refused and how, and what the judge says of tasks that contradict themselves.
import { KerfError } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import { checkClasses } from '../../src/station/judge/classifier.ts';
import { makeJudge } from '../../src/station/judge/judge.ts';
import { parseStationConfig, STATION_SCHEMA } from '../../src/station/station-file.ts';

const LEAST = {
  format: 'kerf-station/1',
  station: 'line-3',
  source: { kind: 'folder', path: 'in' },
  model: { path: 'model.onnx' },
  task: { kind: 'anomaly' },
  sinks: [{ kind: 'json-lines', path: 'out.jsonl' }],
};

function refusal(more: object): string {
  try {
    parseStationConfig({ ...LEAST, ...more });
  } catch (error) {
    if (KerfError.is(error) && error.code === 'CONFIG_INVALID') return error.message;
    throw error;
  }
  return 'taken';
}

const schemaPattern = (): string => (STATION_SCHEMA['properties'] as { station: { pattern: string } }).station.pattern;

describe('a station file', () => {
  it('needs little, and says the rest by defaults', () => {
    expect(parseStationConfig(LEAST)).toMatchObject({
      deadline: 1000,
      cloud: null,
      fallback: null,
      trigger: null,
      outbox: null,
      thresholds: null,
      reconcileFor: 86_400_000,
      partId: { pattern: null, required: false },
      readable: { minBrightness: 2, repeated: 'refuse' },
      stages: { capture: { queue: 1, policy: 'never-drop' }, infer: { workers: null } },
      sinks: [{ kind: 'json-lines', name: 'json-lines' }],
    });
  });

  it.each([
    [{ deadline: '2 hours' }, "deadline has the unit 'hours'"],
    [{ deadline: 500 }, "deadline must be a time with its unit, such as '500 ms', is 500"],
    [{ format: 'kerf-station/2' }, "format must be one of kerf-station/1, is 'kerf-station/2'"],
    [{ station: 'line 3' }, 'station must be letters, digits'],
    [{ sinks: [] }, 'sinks must have 1 to 32 entries'],
    [{ sinks: [{ kind: 'jsonlines', path: 'x' }] }, "did you mean 'json-lines'?"],
    [{ sinks: [LEAST.sinks[0], LEAST.sinks[0]] }, "sinks[1].name is 'json-lines' as another sink's"],
    [{ source: { kind: 'folder', path: 'in', watch: true } }, 'source.watch is not a key'],
    [{ cloud: { url: 'http://x' } }, 'cloud.url must be a wss:// URL'],
    [{ partId: { pattern: '(' } }, 'partId.pattern must be a regular expression'],
    [{ stages: { infer: { polcy: 'latest-wins' } } }, "stages.infer.polcy is not a key; did you mean 'policy'?"],
    [{ stages: { sink: { policy: 'latest-wins' } } }, 'stages.sink.policy is not a key'],
    [{ outbox: { path: 'o', maxSize: '1 KB' } }, 'outbox.maxSize must be from'],
    [{ status: { port: 70_000 } }, 'status.port must be a whole number from 0 to 65535'],
    [
      { fallback: { path: 's.onnx', cascade: { sureBelow: 0.8, sureAbove: 0.2 } } },
      'fallback.cascade has sureBelow above sureAbove',
    ],
    [{ thresholds: { passBelow: 0.9, ngAbove: 0.3 } }, 'thresholds say PASS below 0.9 and NG from 0.3 on'],
    [{ task: { kind: 'classifier', classes: ['a', 'b'], reject: ['c'] } }, "task.reject names 'c'"],
    [
      { fallback: { path: 's.onnx', thresholds: { passBelow: 0.9, ngAbove: 0.3 } } },
      'fallback.thresholds say PASS below 0.9',
    ],
    [
      { trigger: { kind: 'modbus' }, sinks: [{ kind: 'modbus', heartbeat: '1 s' }] },
      "sinks[0].heartbeat must be as the trigger's",
    ],
    [{ sinks: [{ kind: 'modbus' }, { kind: 'modbus', name: 'b' }] }, 'sinks[1] is at 127.0.0.1:1502 as sinks[0] is'],
  ])('is refused with %j', (more, said) => {
    expect(refusal(more)).toContain(said);
  });

  it.each(['一号线', 'ไลน์_2', 'पंक्ति-3', 'Prüfung.4', 'line-3'])('may be called %s', (station) => {
    expect(parseStationConfig({ ...LEAST, station }).station).toBe(station);
    expect(new RegExp(schemaPattern(), 'u').test(station)).toBe(true);
  });

  it.each(['一号 线', '一/二', '一\n二', '一\u200B线', '线#', '线+', 'a:b', '"', '线\\', ''])(
    'may not be called %j',
    (station) => {
      expect(refusal({ station })).not.toBe('taken');
      expect(new RegExp(schemaPattern(), 'u').test(station)).toBe(false);
    },
  );

  it('says everything that is wrong at once', () => {
    const said = refusal({ deadlin: '1 s', model: { pth: 'x' }, task: { kind: 'anomali' } });
    expect(said).toBe(
      "deadlin is not a key; did you mean 'deadline'?; model.pth is not a key; did you mean 'path'?; model.path is needed: " +
        "split folder, chain folder, .onnx file, or a device's folder (kerf update) whose release runs; relative to the " +
        "station file; task.kind must be one of anomaly, classifier, detector, segmentation, is 'anomali'; did you mean 'anomaly'?",
    );
  });

  it('has a schema that names every key with what it means', () => {
    const properties = STATION_SCHEMA['properties'] as Record<string, { description: string }>;
    for (const { description } of Object.values(properties)) expect(description.length).toBeGreaterThan(10);
  });
});

describe('a judge', () => {
  const task = { kind: 'anomaly', score: null, mask: null } as const;

  it('has a version that follows from task and thresholds alone', async () => {
    const [one, same, other] = await Promise.all([
      makeJudge(task, { passBelow: 0.1, ngAbove: 0.2 }),
      makeJudge({ ...task }, { passBelow: 0.1, ngAbove: 0.2 }),
      makeJudge(task, { passBelow: 0.1, ngAbove: 0.3 }),
    ]);
    expect(one.version).toBe(same.version);
    expect(one.version).not.toBe(other.version);
    expect(one.version).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is refused with thresholds the wrong way round', async () => {
    await expect(makeJudge(task, { passBelow: 0.9, ngAbove: 0.2 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(makeJudge(task, { passBelow: Number.NaN, ngAbove: 1 })).rejects.toThrow(/overlap/);
  });

  it('refuses classes to reject that are no classes', () => {
    const check = (classes: string[], reject: string[]) => () => checkClasses({ classes, reject }, 'task');
    expect(check(['a', 'b'], ['c'])).toThrow("task.reject names 'c', which is not among the classes");
    expect(check(['a', 'a'], ['a'])).toThrow("task.classes names 'a' twice");
    expect(check(['a', 'b'], ['b'])).not.toThrow();
  });
});

// Profiles from JSON: what is accepted, and what each fault says.
import { describe, expect, test } from 'vitest';
import {
  checkProfileModel,
  LINK_FORMAT,
  PROFILE_FORMAT,
  parseDeviceProfile,
  parseLinkProfile,
  parseProfile,
  statedLink,
} from '../src/index.ts';
import { expectCode } from './models.ts';

const device = {
  format: PROFILE_FORMAT,
  model: { file: 'm.onnx', sha256: 'ab'.repeat(32) },
  device: { name: 'station 4', processor: 'x', logicalCores: 2, system: 'linux x64' },
  provider: 'cpu',
  threads: 2,
  versions: { kerf: '0.1.0', __proto__x: '1' },
  date: '2026-11-23T20:00:00Z',
  inputShapes: { x: [1, 3, 8, 8] },
  nodes: [{ index: 0, name: 'conv', opType: 'Conv', ms: 1.5 }],
  nodeTimesFrom: 'events',
  segments: [{ head: ['a'], tail: null, ms: 2, p99Ms: 3, runs: 100 }],
  wholeMs: 4,
  wholeP99Ms: 5,
  values: [{ name: 'a', dtype: 'float32', shape: [1, 8], bytes: 32 }],
  memory: [{ index: 0, name: 'conv', weightsBytes: 100 }],
  crossing: { perFrameMs: 0.8, perMegabyteMs: 1.5 },
};
const link = {
  format: LINK_FORMAT,
  uplinkBitsPerSecond: 20e6,
  downlinkBitsPerSecond: 50e6,
  roundTripMs: 40,
  jitterMs: 2,
  date: '2026-11-23T20:00:00Z',
};

test('a profile survives JSON; unknown keys are ignored', () => {
  expect(parseProfile(JSON.parse(JSON.stringify({ ...device, more: 1 })))).toEqual(device);
  expect(parseProfile(JSON.parse(JSON.stringify({ ...link, more: 1 })))).toEqual(link);
});

test('how fast the device codes, what a value takes without loss and where the frame came from may be missing', () => {
  const more = {
    ...device,
    values: [{ name: 'a', dtype: 'float32', shape: [1, 8], bytes: 32, losslessBytes: 20 }],
    coding: { lossless: { encodeMsPerMegabyte: 11, decodeMsPerMegabyte: 9 } },
    frame: 'given',
  };
  expect(parseProfile(JSON.parse(JSON.stringify(more)))).toEqual(more);
  expectCode(
    () => parseProfile({ ...more, frame: 'guessed' }),
    'INVALID_ARGUMENT',
    /'frame' must be one of given, made up/,
  );
  expectCode(
    () => parseProfile({ ...more, coding: { lossless: { encodeMs: 1 } } }),
    'INVALID_ARGUMENT',
    /'coding.lossless.encodeMsPerMegabyte' is missing/,
  );
  expect(Object.keys(parseProfile(device))).not.toContain('coding');
});

test('costs given by hand: no index, nothing measured', () => {
  const hand = parseDeviceProfile({
    ...device,
    nodes: [{ name: 'mine', opType: 'Custom', ms: 3 }],
    segments: [],
    wholeMs: null,
    wholeP99Ms: undefined,
    memory: undefined,
    threads: undefined,
    nodeTimesFrom: undefined,
    crossing: undefined,
  });
  expect(hand.nodes).toEqual([{ index: null, name: 'mine', opType: 'Custom', ms: 3 }]);
  expect(hand).toMatchObject({ wholeMs: null, wholeP99Ms: null, memory: [], threads: null, crossing: null });
});

describe('a wrong profile says what is wrong', () => {
  test.each<[unknown, RegExp]>([
    [null, /profile must be an object/],
    [[], /profile must be an object/],
    [{}, /'format' is missing/],
    [{ format: 'other' }, /'format' must be 'kerf-profile\/1' or 'kerf-link\/1', got 'other'/],
    [{ ...device, model: { file: 'm', sha256: 'AB' } }, /'model.sha256' must be 64 lower-case hex digits/],
    [
      { ...device, nodes: [{ index: 0, opType: 'Conv', us: 1500 }] },
      /'nodes\[0\].ms' is missing, in milliseconds; found 'us'/,
    ],
    [{ ...device, nodes: [{ opType: 'Conv', ms: 1 }] }, /'nodes\[0\]' needs an 'index' or a 'name'/],
    [{ ...device, nodes: [{ index: 0.5, opType: 'Conv', ms: 1 }] }, /'nodes\[0\].index' must be a whole number/],
    [{ ...device, nodes: [{ index: 0, opType: 'Conv', ms: -1 }] }, /'nodes\[0\].ms' is absurd: -1 .* milliseconds/],
    [{ ...device, nodes: 'none' }, /'nodes' must be a list/],
    [
      { ...device, crossing: { perFrameMs: 1, perMegabyte: 2 } },
      /'crossing.perMegabyteMs' is missing, in milliseconds; found 'perMegabyte'/,
    ],
    [{ ...device, nodeTimesFrom: 'guess' }, /'nodeTimesFrom' must be one of events, segments, got 'guess'/],
    [{ ...device, wholeMs: 1e12 }, /'wholeMs' is absurd/],
    [{ ...device, wholeMs: Number.NaN }, /'wholeMs' must be a finite number/],
    [{ ...device, wholeMs: undefined }, /'wholeMs' is missing, in milliseconds/],
    [{ ...device, wholeMs: null, nodes: [], segments: [] }, /has no cost at all/],
    [{ ...device, segments: [{ head: null, tail: null, ms: 1, runs: 3 }] }, /either 'head' or 'tail'/],
    [{ ...device, values: [{ name: 'a', dtype: 'complex64' }] }, /is no dtype: 'complex64'/],
    [{ ...link, uplinkBitsPerSecond: 20 }, /'uplinkBitsPerSecond' is absurd: 20 .* bits per second/],
    [{ ...link, uplinkBitsPerSecond: '20mbit' }, /must be a number of bits per second, got the text '20mbit'/],
    [
      { ...link, uplinkBitsPerSecond: undefined, uplinkMbit: 20 },
      /'uplinkBitsPerSecond' is missing, in bits per second; found 'uplinkMbit'/,
    ],
    [
      { ...link, roundTripMs: undefined, roundTrip: 0.04 },
      /'roundTripMs' is missing, in milliseconds; found 'roundTrip'/,
    ],
    [{ ...link, jitterMs: Number.POSITIVE_INFINITY }, /'jitterMs' must be a finite number/],
  ])('%#', (json, message) => {
    expectCode(() => parseProfile(json), 'INVALID_ARGUMENT', message);
  });

  test('of another version', () => {
    const later = { ...device, format: 'kerf-profile/2' };
    expectCode(
      () => parseDeviceProfile(later),
      'INVALID_ARGUMENT',
      /this kerf reads 'kerf-profile\/1'; take the profile/,
    );
    expectCode(() => parseLinkProfile(device), 'INVALID_ARGUMENT', /must be 'kerf-link\/1', got 'kerf-profile\/1'/);
  });

  test('of another model', () => {
    const profile = parseDeviceProfile(device);
    checkProfileModel(profile, { sha256: 'ab'.repeat(32) }, 'edge');
    const error = expectCode(
      () => checkProfileModel(profile, { sha256: 'cd'.repeat(32) }, 'edge'),
      'INVALID_ARGUMENT',
      /the edge profile is of another model \('m.onnx'/,
    );
    expect(error.details).toEqual({ profiled: 'ab'.repeat(32), model: 'cd'.repeat(32) });
  });
});

test('a stated link takes the downlink from the uplink', () => {
  expect(statedLink({ uplinkBitsPerSecond: 2e6, roundTripMs: 10 })).toEqual({
    format: LINK_FORMAT,
    uplinkBitsPerSecond: 2e6,
    downlinkBitsPerSecond: 2e6,
    roundTripMs: 10,
    jitterMs: 0,
    date: null,
  });
  expectCode(() => statedLink({ uplinkBitsPerSecond: 2, roundTripMs: 10 }), 'INVALID_ARGUMENT', /absurd/);
});

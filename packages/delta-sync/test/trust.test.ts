// Devices against repositories that are fresh, stale, rotated, or somebody's attack. The cases follow the TUF conformance suite.
import { describe, expect, test } from 'vitest';
import { DAY_MS, NOW_MS, TestDevice, TestRepository, testSigner } from './support/trust.ts';

async function pair(
  change?: (repository: TestRepository) => void,
): Promise<{ repository: TestRepository; device: TestDevice }> {
  const repository = await TestRepository.create(change);
  return { repository, device: new TestDevice(repository) };
}

const refused = (code: string, message = /./): unknown =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as string });

describe('basic operation', () => {
  test('a first update takes all roles, in order, and keeps them', async () => {
    const { device } = await pair();
    const trusted = await device.refresh();
    expect(device.asked).toEqual([
      'metadata/2.root.json',
      'metadata/timestamp.json',
      'metadata/1.snapshot.json',
      'metadata/1.targets.json',
    ]);
    expect(await trusted.releases('surface')).toMatchObject([{ name: 'surface', version: '1.0', sequence: 1 }]);
    expect([...device.kept.keys()].sort()).toEqual([
      'root.json',
      'snapshot.json',
      'surface.json',
      'targets.json',
      'timestamp.json',
    ]);
  });

  test('a second update asks for what can have changed only', async () => {
    const { device } = await pair();
    await (await device.refresh()).releases('surface');
    await (await device.refresh()).releases('surface');
    expect(device.asked).toEqual(['metadata/2.root.json', 'metadata/timestamp.json']);
  });

  test('a name that nobody was given is not found', async () => {
    const { device } = await pair();
    const trusted = await device.refresh();
    await expect(trusted.releases('other')).rejects.toEqual(refused('RELEASE_NOT_FOUND', /has surface/));
  });

  test('a role speaks for its own paths only', async () => {
    const { device } = await pair((repository) => {
      repository.targets.set('other/1.0.json', { length: 3, sha256: 'ab'.repeat(32), sequence: 9 });
    });
    const releases = await (await device.refresh()).releases('surface');
    expect(releases.map(({ targetPath }) => targetPath)).toEqual(['surface/1.0.json']);
  });

  test.each(['timestamp', '1.snapshot', '1.targets'])('%s.json that is not there', async (file) => {
    const { repository, device } = await pair();
    repository.files.delete(`metadata/${file}.json`);
    await expect(device.refresh()).rejects.toEqual(refused('MIRROR_UNAVAILABLE'));
  });

  test('without a root of its own a device trusts nobody', async () => {
    const { device } = await pair();
    device.kept.clear();
    await expect(device.refresh()).rejects.toEqual(refused('TRUST_FAILED', /root\.json/));
  });
});

describe('keys and thresholds', () => {
  const roles = ['timestamp', 'snapshot', 'targets', 'surface'] as const;

  test.each(roles)('%s signed by a stranger', async (role) => {
    const { repository, device } = await pair();
    repository.signers[role] = [testSigner()];
    await repository.publish([
      role,
      ...(role === 'surface' || role === 'targets' ? ['snapshot'] : []),
      ...(role === 'timestamp' ? [] : ['timestamp']),
    ]);
    await expect(device.refresh().then((trusted) => trusted.releases('surface'))).rejects.toEqual(
      refused('TRUST_FAILED', /signed by 0/),
    );
  });

  test.each([...roles, 'root'] as const)('%s needs two keys and has one', async (role) => {
    const repository = await TestRepository.create((one) => {
      one.threshold[role] = 2;
      one.signers[role] = [testSigner(), testSigner()];
    });
    const device = new TestDevice(repository);
    await (await device.refresh()).releases('surface');
    if (role === 'root') {
      repository.signers.root = [repository.signers.root[0] as never];
      repository.edit = (name, body) => (name === 'root' ? { ...body, roles: { ...(body['roles'] as object) } } : body);
      await repository.publishRoot();
      // The old keys may still be two; the new root names one key and asks for two.
      await expect(device.refresh()).rejects.toEqual(refused('TRUST_FAILED', /signed by 1/));
      return;
    }
    repository.signers[role] = [repository.signers[role][0] as never];
    await repository.publish(
      role === 'timestamp'
        ? ['timestamp']
        : role === 'snapshot'
          ? ['snapshot', 'timestamp']
          : ['surface', 'targets', 'snapshot', 'timestamp'],
    );
    if (role === 'surface') {
      // Its delegation still asks for two of two.
      await expect(device.refresh().then((trusted) => trusted.releases('surface'))).rejects.toEqual(
        refused('TRUST_FAILED'),
      );
    } else await expect(device.refresh()).rejects.toEqual(refused('TRUST_FAILED', /signed by 1/));
  });

  test('one key counts once, however often it signs', async () => {
    const { repository, device } = await pair((one) => {
      one.threshold.timestamp = 2;
      one.signers.timestamp = [testSigner(), testSigner()];
    });
    const text = JSON.parse(new TextDecoder().decode(repository.files.get('metadata/timestamp.json'))) as {
      signatures: object[];
    };
    text.signatures[1] = text.signatures[0] as object;
    repository.files.set('metadata/timestamp.json', new TextEncoder().encode(JSON.stringify(text)));
    await expect(device.refresh()).rejects.toEqual(refused('TRUST_FAILED', /same key/));
  });

  test('a key under another id does not count', async () => {
    const repository = new TestRepository();
    repository.edit = (role, body) => {
      if (role !== 'root') return body;
      const keys = body['keys'] as Record<string, unknown>;
      const roles = body['roles'] as Record<string, { keyids: string[] }>;
      const [keyid = ''] = roles['timestamp']?.keyids ?? [];
      const other = 'f'.repeat(64);
      return {
        ...body,
        keys: { ...keys, [other]: keys[keyid] },
        roles: { ...roles, timestamp: { keyids: [keyid, other], threshold: 2 } },
      };
    };
    await repository.publishRoot();
    await repository.publish();
    await expect(new TestDevice(repository).refresh()).rejects.toEqual(refused('TRUST_FAILED', /signed by 1/));
  });

  test('keys of unknown kinds are passed over, and do not count', async () => {
    const repository = new TestRepository();
    repository.edit = (role, body) => {
      if (role !== 'root') return body;
      const roles = body['roles'] as Record<string, { keyids: string[] }>;
      const keys = {
        ...(body['keys'] as object),
        abc: { keytype: 'rsa', scheme: 'rsassa-pss-sha256', keyval: { public: 'PEM' } },
      };
      return {
        ...body,
        keys,
        roles: { ...roles, timestamp: { keyids: [...(roles['timestamp']?.keyids ?? []), 'abc'], threshold: 1 } },
      };
    };
    await repository.publishRoot();
    await repository.publish();
    await expect(new TestDevice(repository).refresh()).resolves.toBeDefined();
  });
});

describe('rotation', () => {
  test('of every top-level role, over several roots at once', async () => {
    const { repository, device } = await pair();
    await device.refresh();
    for (const role of ['root', 'timestamp', 'snapshot', 'targets'] as const) {
      repository.signers[role] = [testSigner(), testSigner()];
      repository.threshold[role] = 2;
      await repository.publishRoot();
    }
    await repository.publish();
    await device.refresh();
    expect(device.version('root')).toBe(5);
    expect(device.version('timestamp')).toBe(2);
  });

  test('a new root that the old keys did not sign is an attack', async () => {
    const { repository, device } = await pair();
    const attacker = new TestRepository();
    await attacker.publishRoot();
    await attacker.publishRoot();
    repository.files.set('metadata/2.root.json', attacker.files.get('metadata/2.root.json') as Uint8Array);
    await expect(device.refresh()).rejects.toEqual(refused('TRUST_FAILED'));
    expect(device.version('root')).toBe(1);
  });

  test('a new root that its own keys did not sign', async () => {
    const { repository, device } = await pair();
    const old = repository.signers.root;
    repository.signers.root = [testSigner()];
    const missing = repository.signers.root;
    await repository.publishRoot();
    const text = JSON.parse(new TextDecoder().decode(repository.files.get('metadata/2.root.json'))) as {
      signatures: { keyid: string }[];
    };
    expect(text.signatures).toHaveLength(old.length + missing.length);
    text.signatures.pop();
    repository.files.set('metadata/2.root.json', new TextEncoder().encode(JSON.stringify(text)));
    await expect(device.refresh()).rejects.toEqual(refused('TRUST_FAILED'));
  });

  test.each([1, 3])('a root of version %i where version 2 belongs', async (version) => {
    const { repository, device } = await pair();
    repository.edit = (role, body) => (role === 'root' ? { ...body, version } : body);
    await repository.publishRoot();
    await expect(device.refresh()).rejects.toEqual(refused('ROLLBACK_REFUSED'));
  });

  test('after an interrupted update a device goes on from the root that it kept', async () => {
    const { repository, device } = await pair();
    repository.signers.root = [testSigner()];
    await repository.publishRoot();
    repository.files.delete('metadata/timestamp.json');
    await expect(device.refresh()).rejects.toEqual(refused('MIRROR_UNAVAILABLE'));
    expect(device.version('root')).toBe(2);
  });

  test('a stolen timestamp key: versions that were driven up are forgotten once the keys are new', async () => {
    const { repository, device } = await pair();
    repository.versions.timestamp = 2 ** 31;
    repository.versions.snapshot = 2 ** 31;
    await repository.publish();
    await device.refresh();
    Object.assign(repository.versions, { timestamp: 5, snapshot: 5 });
    await repository.publish();
    await expect(device.refresh()).rejects.toEqual(refused('ROLLBACK_REFUSED'));
    repository.signers.timestamp = [testSigner()];
    repository.signers.snapshot = [testSigner()];
    await repository.publishRoot();
    await repository.publish(['snapshot', 'timestamp']);
    await device.refresh();
    expect(device.version('snapshot')).toBe(7);
  });
});

describe('rollback, mix-and-match', () => {
  async function updated(): Promise<{
    repository: TestRepository;
    device: TestDevice;
    before: Map<string, Uint8Array>;
  }> {
    const { repository, device } = await pair();
    const before = new Map(repository.files);
    await repository.publish();
    await (await device.refresh()).releases('surface');
    return { repository, device, before };
  }

  test('an older timestamp', async () => {
    const { repository, device, before } = await updated();
    repository.files.set('metadata/timestamp.json', before.get('metadata/timestamp.json') as Uint8Array);
    await expect(device.refresh()).rejects.toEqual(refused('ROLLBACK_REFUSED', /has seen 2/));
    expect(device.version('timestamp')).toBe(2);
  });

  test('a newer timestamp that names an older snapshot', async () => {
    const { repository, device } = await updated();
    repository.versions.snapshot = 1;
    await repository.publish(['timestamp']);
    await expect(device.refresh()).rejects.toEqual(refused('ROLLBACK_REFUSED', /snapshot 1/));
  });

  test.each(['targets', 'surface'] as const)('a newer snapshot that names older %s', async (role) => {
    const { repository, device } = await updated();
    repository.versions[role] = 1;
    await repository.publish(['snapshot', 'timestamp']);
    await expect(device.refresh()).rejects.toEqual(refused('ROLLBACK_REFUSED', new RegExp(role)));
  });

  test('a newer snapshot that has lost a role', async () => {
    const { repository, device } = await updated();
    repository.edit = (role, body) => {
      const { ['surface.json']: _, ...meta } = (body['meta'] ?? {}) as Record<string, unknown>;
      return role === 'snapshot' ? { ...body, meta } : body;
    };
    await repository.publish(['snapshot', 'timestamp']);
    await expect(device.refresh()).rejects.toEqual(refused('ROLLBACK_REFUSED', /has lost 'surface\.json'/));
  });

  test.each(['2.snapshot', '2.targets', '2.surface'])('an older file in the place of %s', async (file) => {
    const { repository, before } = await updated();
    repository.files.set(`metadata/${file}.json`, before.get(`metadata/1.${file.slice(2)}.json`) as Uint8Array);
    const device = new TestDevice(repository);
    await expect(device.refresh().then((trusted) => trusted.releases('surface'))).rejects.toEqual(
      refused('TRUST_FAILED', /signed for/),
    );
  });

  test('the same timestamp version with other content changes nothing', async () => {
    const { repository, device } = await updated();
    const kept = device.kept.get('timestamp.json');
    repository.versions.timestamp = 1;
    repository.expiresMs.timestamp += DAY_MS;
    await repository.publish(['timestamp']);
    await device.refresh();
    expect(device.kept.get('timestamp.json')).toBe(kept);
  });

  test('damaged kept metadata is fetched again; a damaged root is no root', async () => {
    const { device } = await updated();
    for (const name of ['timestamp.json', 'snapshot.json', 'targets.json'])
      device.kept.set(name, Uint8Array.of(1, 2, 3));
    await device.refresh();
    expect(device.version('snapshot')).toBe(2);
    device.kept.set('root.json', Uint8Array.of(123));
    await expect(device.refresh()).rejects.toEqual(refused('TRUST_FAILED', /root\.json/));
  });
});

describe('freeze, expiry and clocks', () => {
  const roles = ['root', 'timestamp', 'snapshot', 'targets', 'surface'] as const;

  test.each(roles)('%s that is out of date', async (role) => {
    const { device } = await pair((repository) => {
      repository.expiresMs[role] = NOW_MS - 1000;
    });
    await expect(device.refresh().then((trusted) => trusted.releases('surface'))).rejects.toEqual(
      refused('METADATA_EXPIRED', new RegExp(`${role}\\.json`)),
    );
  });

  test('a mirror that shows nothing new is found out when its timestamp expires', async () => {
    const { device } = await pair();
    await device.refresh();
    device.nowMs = NOW_MS + 8 * DAY_MS;
    await expect(device.refresh()).rejects.toEqual(refused('METADATA_EXPIRED', /timestamp\.json/));
  });

  test('kept metadata may be out of date: it still guards against rollback', async () => {
    const { repository, device } = await pair();
    const old = repository.files.get('metadata/timestamp.json') as Uint8Array;
    await repository.publish();
    await device.refresh();
    device.nowMs = NOW_MS + 20 * DAY_MS;
    repository.expiresMs.timestamp = NOW_MS + 40 * DAY_MS;
    await repository.publish(['timestamp']);
    await device.refresh();
    repository.files.set('metadata/timestamp.json', old);
    await expect(device.refresh()).rejects.toEqual(refused('ROLLBACK_REFUSED'));
  });

  test('an expired root may be followed by one that is not', async () => {
    const { repository, device } = await pair((one) => {
      one.expiresMs.root = NOW_MS - DAY_MS;
    });
    repository.expiresMs.root = NOW_MS + DAY_MS;
    await repository.publishRoot();
    await device.refresh();
    expect(device.version('root')).toBe(2);
  });

  test('a clock in 1970 says so, on a new device and on an old one', async () => {
    const { device } = await pair();
    device.nowMs = 0;
    await expect(device.refresh()).rejects.toEqual(refused('CLOCK_WRONG', /1970-01-01.*set the clock/));
    device.nowMs = NOW_MS;
    await device.refresh();
    device.nowMs = NOW_MS - 400 * DAY_MS;
    await expect(device.refresh()).rejects.toEqual(refused('CLOCK_WRONG'));
  });

  test('a clock that was set back cannot make stale metadata fresh', async () => {
    const { repository, device } = await pair();
    await device.refresh();
    repository.signedAtMs = NOW_MS + 25 * DAY_MS;
    repository.expiresMs.timestamp = NOW_MS + 32 * DAY_MS;
    await repository.publish(['timestamp']);
    device.nowMs = NOW_MS + 25 * DAY_MS;
    await device.refresh();
    device.nowMs = NOW_MS + 20 * DAY_MS;
    await expect(device.refresh()).rejects.toEqual(refused('CLOCK_WRONG'));
  });
});

describe('malformed metadata', () => {
  test.each<[string, string, (body: Record<string, unknown>) => Record<string, unknown>]>([
    ['another type', 'timestamp', (body) => ({ ...body, _type: 'snapshot' })],
    ['another major version of TUF', 'timestamp', (body) => ({ ...body, spec_version: '2.0.0' })],
    ['version 0', 'timestamp', (body) => ({ ...body, version: 0 })],
    ['a fraction of a version', 'timestamp', (body) => ({ ...body, version: '1' })],
    ['no expiry', 'timestamp', (body) => ({ ...body, expires: null })],
    ['an expiry in words', 'timestamp', (body) => ({ ...body, expires: 'tomorrow' })],
    ['no snapshot', 'timestamp', (body) => ({ ...body, meta: {} })],
    [
      'a hash of another kind only',
      'timestamp',
      (body) => ({ ...body, meta: { 'snapshot.json': { version: 1, hashes: { md5: 'aa' } } } }),
    ],
    ['a list for an object', 'snapshot', (body) => ({ ...body, meta: [] })],
    ['a role with a path for a name', 'targets', (body) => renamed(body, '../root')],
    ['a delegated role that is called root', 'targets', (body) => renamed(body, 'root')],
    ['a threshold of 0', 'targets', (body) => renamed(body, 'surface', 0)],
  ])('%s', async (_, role, change) => {
    const { device } = await pair((repository) => {
      repository.edit = (name, body) => (name === role ? change(body) : body);
    });
    await expect(device.refresh()).rejects.toEqual(refused('TRUST_FAILED'));
    expect(device.version('timestamp') + device.version('targets')).toBeLessThanOrEqual(1);
  });

  const renamed = (body: Record<string, unknown>, name: string, threshold = 1): Record<string, unknown> => {
    const delegations = body['delegations'] as { roles: object[] };
    return {
      ...body,
      delegations: { ...delegations, roles: delegations.roles.map((one) => ({ ...one, name, threshold })) },
    };
  };

  test('a changed byte anywhere in what is signed', async () => {
    const { repository, device } = await pair();
    const text = new TextDecoder().decode(repository.files.get('metadata/timestamp.json'));
    repository.files.set(
      'metadata/timestamp.json',
      new TextEncoder().encode(text.replace('"version": 1', '"version": 9')),
    );
    await expect(device.refresh()).rejects.toEqual(refused('TRUST_FAILED', /signed by 0/));
  });
});

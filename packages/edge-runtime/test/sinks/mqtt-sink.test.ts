// MQTT against Mosquitto, where it is installed, and against a broker that fails as it is told to.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mqttShape, type ResultRecord, type Sink } from '@kerf/edge-runtime';
import { mqttSink } from '@kerf/edge-runtime/node';
import { generate } from 'selfsigned';
import { afterEach, describe, expect, test } from 'vitest';
import { describeSink } from '../../../../test/conformance/sink.ts';
import { deliveryOf } from '../../../../test/conformance/sink-records.ts';
import { freePort } from '../capture/support.ts';
import { ScriptedBroker } from './scripted-broker.ts';
import { sinkSetup } from './support.ts';

const never = new AbortController().signal;

function open(url: string, given: Record<string, unknown> = {}, station = 'line-1'): Sink {
  const config = mqttShape.read({ url, timeout: '5 s', ...given }, 'sink');
  return mqttSink(config, { ...sinkSetup('mqtt', { PASSWORD: 'right' }), station });
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn > 2000) throw new Error('it never came to be');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function countedOnce(payloads: readonly string[]): [string, number][] {
  const records = payloads.map((payload) => JSON.parse(payload) as ResultRecord);
  const keys = new Map(
    records.map(({ resultId, revision }) => [`${resultId} ${revision}`, [resultId, revision] as [string, number]]),
  );
  return [...keys.values()];
}

describeSink('MQTT, scripted broker', { outage: true, silence: true }, async () => {
  const broker = new ScriptedBroker();
  await broker.listen();
  return {
    open: () => open(broker.url),
    received: async () =>
      countedOnce(broker.published.filter(({ topic }) => topic.endsWith('/results')).map(({ payload }) => payload)),
    outage: { away: () => broker.close(), back: () => broker.listen() },
    silence: async () => {
      broker.confirms = false;
    },
    dispose: () => broker.close(),
  };
});

describe('MQTT sink', () => {
  const brokers: ScriptedBroker[] = [];
  const sinks: Sink[] = [];
  afterEach(async () => {
    for (const sink of sinks.splice(0)) await sink.close();
    for (const broker of brokers.splice(0)) await broker.close();
  });
  const start = async (given: Record<string, unknown> = {}): Promise<{ broker: ScriptedBroker; sink: Sink }> => {
    const broker = new ScriptedBroker();
    await broker.listen();
    brokers.push(broker);
    const sink = open(broker.url, given);
    sinks.push(sink);
    return { broker, sink };
  };
  const states = (broker: ScriptedBroker): unknown[] =>
    broker.published
      .filter(({ topic }) => topic === 'kerf/line-1/status')
      .map(({ payload, retain }) => [(JSON.parse(payload) as { state: string }).state, retain]);

  test('says when it comes and goes; a broken link leaves the last will', async () => {
    const { broker, sink } = await start();
    await sink.deliver(deliveryOf(0), never);
    expect(states(broker)).toEqual([['online', true]]);
    broker.drop();
    await until(() => broker.wills.length === 1);
    expect(broker.wills[0]).toMatchObject({ topic: 'kerf/line-1/status', retain: true });
    expect(broker.wills[0]?.payload).toContain('offline');
    await until(() => states(broker).length === 2); // it is back
    await sink.close();
    expect(states(broker).at(-1)).toEqual(['stopped', true]);
    await until(() => broker.wills.length === 1);
  });

  test('fills the topic in, and lets nobody choose another one', async () => {
    const { broker, sink } = await start({ topic: 'plant/{station}/{verdict}/{part}' });
    await sink.deliver(deliveryOf(0, { partId: 'a/../#+', verdict: 'NG' }), never);
    expect(broker.published.at(-1)?.topic).toBe('plant/line-1/NG/a_..___');
  });

  test('logs in, and says why it may not', async () => {
    const { broker, sink } = await start({ user: 'line', passwordFrom: 'PASSWORD' });
    await sink.deliver(deliveryOf(0), never);
    expect(broker.logins[0]).toEqual({ clientId: 'kerf-line-1-mqtt', user: 'line', password: 'right' });
    broker.refuse = 4;
    broker.drop();
    await until(() => broker.logins.length > 1);
    await expect(sink.deliver(deliveryOf(1), never)).rejects.toMatchObject({
      code: expect.stringMatching(/SINK_/) as string,
    });
    let refused: unknown;
    for (let turn = 0; turn < 200 && (refused as { code?: string })?.code !== 'SINK_REFUSED'; turn++) {
      refused = await sink.deliver(deliveryOf(1), never).catch((error: unknown) => error);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(refused).toMatchObject({ code: 'SINK_REFUSED', message: expect.stringContaining('password') as string });
  });

  test('a message that is never confirmed is not delivered, and comes again', async () => {
    const { broker, sink } = await start({ timeout: '100 ms' });
    await until(() => states(broker).length === 1);
    broker.confirms = false;
    await expect(sink.deliver(deliveryOf(0), never)).rejects.toMatchObject({ code: 'SINK_UNREACHABLE' });
    broker.confirms = true;
    await sink.deliver(deliveryOf(0), never);
    const results = broker.published.filter(({ topic }) => topic.endsWith('/results'));
    expect(results).toHaveLength(2);
    expect(countedOnce(results.map(({ payload }) => payload))).toHaveLength(1);
  });

  test('speaks TLS to a broker whose authority it was given, and to no other', async () => {
    const names = [{ type: 7 as const, ip: '127.0.0.1' }];
    const certificate = await generate([{ name: 'commonName', value: 'broker' }], {
      extensions: [{ name: 'subjectAltName', altNames: names }],
    });
    const broker = new ScriptedBroker({ cert: certificate.cert, key: certificate.private });
    await broker.listen();
    brokers.push(broker);
    const folder = await mkdtemp(join(tmpdir(), 'kerf-mqtt-'));
    await writeFile(join(folder, 'ca.pem'), certificate.cert);
    const trusting = open(broker.url, { ca: join(folder, 'ca.pem') });
    const wary = open(broker.url);
    sinks.push(trusting, wary);
    await trusting.deliver(deliveryOf(0), never);
    await expect(wary.deliver(deliveryOf(1), never)).rejects.toMatchObject({
      code: 'TLS_UNTRUSTED',
      details: { why: { kind: 'certificate-unknown', host: new URL(broker.url).host } },
    });
    expect(broker.published.filter(({ topic }) => topic.endsWith('/results'))).toHaveLength(1);
    await rm(folder, { recursive: true });
  });

  test('certificates that are replaced count from the next connect on, the one of the authority and its own', async () => {
    const make = (): Promise<{ cert: string; private: string }> =>
      generate([{ name: 'commonName', value: 'broker' }], {
        extensions: [{ name: 'subjectAltName', altNames: [{ type: 7 as const, ip: '127.0.0.1' }] }],
      });
    const [before, after, own] = [await make(), await make(), await make()];
    const broker = new ScriptedBroker({ cert: before.cert, key: before.private });
    await broker.listen();
    brokers.push(broker);
    const folder = await mkdtemp(join(tmpdir(), 'kerf-mqtt-'));
    const [ca, certificate, key] = ['ca.pem', 'own.pem', 'own-key.pem'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const write = (authority: string, pair: { cert: string; private: string }): Promise<unknown> =>
      Promise.all([writeFile(ca, authority), writeFile(certificate, pair.cert), writeFile(key, pair.private)]);
    await write(before.cert, before);
    const sink = open(broker.url, { ca, certificate, key });
    sinks.push(sink);
    await sink.deliver(deliveryOf(0), never);
    await broker.close();
    broker.tls = { cert: after.cert, key: after.private };
    await broker.listen();
    await expect
      .poll(() => sink.deliver(deliveryOf(1), never).catch(({ code }: { code: string }) => code), { timeout: 10_000 })
      .toBe('TLS_UNTRUSTED');
    await write(after.cert, own);
    await expect
      .poll(() => sink.deliver(deliveryOf(1), never).catch(({ code }: { code: string }) => code), { timeout: 30_000 })
      .toBeUndefined();
    expect(broker.certificates.at(-1)).toBe(new X509Certificate(own.cert).fingerprint256);
    // One that is away for a moment leaves what was read last.
    await Promise.all([rm(ca), rm(certificate), rm(key)]);
    broker.drop();
    await expect
      .poll(() => sink.deliver(deliveryOf(2), never).catch(({ code }: { code: string }) => code), { timeout: 10_000 })
      .toBeUndefined();
    await rm(folder, { recursive: true });
  });

  test('a peer that is no broker is said to be so', async () => {
    const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const sink = open(`mqtt://127.0.0.1:${port}`);
    sinks.push(sink);
    await expect(sink.deliver(deliveryOf(0), never)).rejects.toMatchObject({ code: 'SINK_REFUSED' });
    server.close();
  });

  test.each([
    ['http://127.0.0.1', {}, 'mqtts://'],
    ['mqtt://user:word@127.0.0.1', {}, 'passwordFrom'],
    ['mqtt://plant.example', { user: 'a', passwordFrom: 'PASSWORD' }, 'unencrypted'],
    ['mqtt://127.0.0.1', { topic: 'a/{statoin}' }, 'statoin'],
    ['mqtt://127.0.0.1', { topic: 'a/#' }, 'must not hold'],
    ['mqtts://127.0.0.1', { ca: '/nowhere/ca.pem' }, 'ca.pem'],
  ])('refuses %s %o', (url, given, why) => {
    expect(() => open(url, given)).toThrow(why);
  });
});

function hasMosquitto(): boolean {
  const isThere = (program: string): boolean => spawnSync(program, ['-h'], { stdio: 'ignore' }).error === undefined;
  return isThere('mosquitto') && isThere('mosquitto_sub');
}

/** Mosquitto on a port of its own, and a subscriber. */
class Mosquitto {
  readonly lines: string[] = [];
  private readonly folder: string;
  private broker: ChildProcess | null = null;
  private subscriber: ChildProcess | null = null;
  port = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  async start(): Promise<void> {
    if (this.port === 0) this.port = await freePort();
    const config = [`listener ${this.port} 127.0.0.1`, 'allow_anonymous true', 'persistence false'];
    await writeFile(join(this.folder, 'mosquitto.conf'), `${config.join('\n')}\n`);
    this.broker = spawn('mosquitto', ['-c', join(this.folder, 'mosquitto.conf')], { stdio: 'ignore' });
    await answers(this.port);
    const subscriber = spawn(
      'mosquitto_sub',
      ['-h', '127.0.0.1', '-p', String(this.port), '-t', 'kerf/#', '-q', '1', '-F', '%t %r %p'],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    this.subscriber = subscriber;
    subscriber.stdout!.on('data', (chunk: Buffer) => this.lines.push(...chunk.toString().split('\n').filter(Boolean)));
  }

  async stop(): Promise<void> {
    for (const process of [this.subscriber, this.broker]) {
      if (process === null || process.exitCode !== null || process.signalCode !== null) continue;
      const ended = once(process, 'close');
      process.kill();
      await ended;
    }
  }

  results(): string[] {
    const prefix = 'kerf/line-1/results 0 ';
    return this.lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
  }
}

async function answers(port: number): Promise<void> {
  for (let turn = 0; turn < 500; turn++) {
    const ok = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('the broker did not start');
}

describe('MQTT sink and Mosquitto', () => {
  test('results arrive across a restart of the broker', async ({ skip }) => {
    if (!hasMosquitto()) return skip('Mosquitto or its clients are not installed');
    const folder = await mkdtemp(join(tmpdir(), 'kerf-mqtt-'));
    const broker = new Mosquitto(folder);
    try {
      await broker.start();
      const sink = open(`mqtt://127.0.0.1:${broker.port}`);
      try {
        await until(() => broker.lines.some((line) => line.includes('"online"')));
        await sink.deliver(deliveryOf(0), never);
        await until(() => broker.results().length === 1);
        const online = (): number => broker.lines.filter((line) => line.includes('"online"')).length;
        const before = online();
        await broker.stop();
        await expect(sink.deliver(deliveryOf(1), never)).rejects.toMatchObject({ code: 'SINK_UNREACHABLE' });
        await broker.start();
        // The subscriber is there, and the sink is back.
        await until(() => online() > before);
        await sink.deliver(deliveryOf(1), never);
        await until(() => broker.results().length === 2);
        expect(countedOnce(broker.results())).toEqual([
          ['line-1:run:0', 0],
          ['line-1:run:1', 0],
        ]);
        const named = open(`mqtt://127.0.0.1:${broker.port}`, {}, '一号线');
        await named.deliver(deliveryOf(0), never);
        await named.close();
        await until(() => broker.lines.some((line) => line.startsWith('kerf/一号线/results 0 {')));
      } finally {
        await sink.close();
      }
    } finally {
      await broker.stop();
      await rm(folder, { recursive: true });
    }
  });
});

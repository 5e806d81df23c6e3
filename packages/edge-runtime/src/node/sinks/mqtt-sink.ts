// Records -> JSON messages at QoS 1, and a retained status with a last will.
import { isLoopback, KerfError, messageOf, parseUrl } from '@kerf/protocol';
import { sleep } from '../../capture/keep-alive.ts';
import { backOffMs } from '../../link/back-off.ts';
import type { MqttConfig } from '../../sinks/mqtt-config.ts';
import { SINK_BOUNDS, type SinkSetup } from '../../sinks/options.ts';
import type { Delivery, Sink } from '../../sinks/sink.ts';
import { secretOf } from '../../sinks/webhook-sink.ts';
import type { ResultRecord } from '../../station/result-record.ts';
import { pemFile } from '../authority-file.ts';
import { type MqttAddress, type MqttConnection, type MqttOptions, openMqtt } from '../mqtt/connection.ts';

/**
 * Publishes each record and waits for the broker's confirmation. QoS 1 means at least once: a confirmation that was lost
 * has the message sent again, and receivers tell by `resultId` and `revision`.
 * @throws {KerfError} INVALID_ARGUMENT for a URL, topic or secret that cannot be used, FILE_NOT_FOUND for a PEM file.
 */
export function mqttSink(config: MqttConfig, setup: SinkSetup): Sink {
  return new MqttSink(config, setup);
}

class MqttSink implements Sink {
  readonly name: string;
  readonly usesPictures = false;
  private readonly config: MqttConfig;
  private readonly setup: SinkSetup;
  private readonly options: Omit<MqttOptions, 'address'>;
  private readonly address: () => Promise<MqttAddress>;
  private readonly statusTopic: string;
  private readonly ended = new AbortController();
  private connection: MqttConnection | null = null;
  /** Why there is no connection. */
  private problem: KerfError | null = null;
  private onChange: (() => void)[] = [];
  private readonly run: Promise<void>;

  constructor(config: MqttConfig, setup: SinkSetup) {
    this.name = setup.name;
    this.config = config;
    this.setup = setup;
    topicOf(config.topic, setup.station, null);
    this.statusTopic = topicOf(config.statusTopic, setup.station, null);
    this.address = addressOf(config);
    this.options = {
      connect: {
        clientId: config.clientId ?? `kerf-${setup.station}-${setup.name}`,
        keepAliveSeconds: Math.ceil(config.keepAlive / 1000),
        username: config.user,
        password: secretOf(config.passwordFrom, setup),
        will: { topic: this.statusTopic, payload: this.status('offline') },
      },
      timeoutMs: config.timeout,
      clock: setup.clock,
      onLost: (error) => this.set(null, error),
    };
    this.run = this.stayConnected();
  }

  async deliver({ record }: Delivery, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const connection = await this.connected(signal);
    const topic = topicOf(this.config.topic, this.setup.station, record);
    await connection.publish(topic, Buffer.from(JSON.stringify(record)), this.config.retain, signal);
  }

  async close(): Promise<void> {
    if (this.ended.signal.aborted) return this.run;
    this.ended.abort();
    const { connection } = this;
    this.set(null, new KerfError('CLOSED', `sink '${this.name}' was closed`));
    if (connection !== null) {
      const soon = AbortSignal.timeout(1000);
      await connection.publish(this.statusTopic, this.status('stopped'), true, soon).catch(() => undefined);
      await connection.close();
    }
    await this.run;
  }

  /** Waits for a connection that is being made; says why there is none after a failed attempt. */
  private async connected(signal: AbortSignal): Promise<MqttConnection> {
    while (this.connection === null) {
      if (this.problem !== null) throw this.problem;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          signal.removeEventListener('abort', done);
          resolve();
        };
        signal.addEventListener('abort', done, { once: true });
        this.onChange.push(done);
      });
      signal.throwIfAborted();
    }
    return this.connection;
  }

  private async stayConnected(): Promise<void> {
    const { clock, random } = this.setup;
    const { signal } = this.ended;
    for (let failures = 0; !signal.aborted; ) {
      try {
        const connection = await openMqtt({ ...this.options, address: await this.address() }, signal);
        await connection.publish(this.statusTopic, this.status('online'), true, signal);
        failures = 0;
        this.set(connection, null);
        await this.untilLost();
      } catch (error) {
        this.set(null, KerfError.from(error, 'SINK_UNREACHABLE', messageOf(error)));
      }
      if (signal.aborted) return;
      await sleep(clock, backOffMs(failures++, SINK_BOUNDS, random, null), signal);
    }
  }

  private async untilLost(): Promise<void> {
    while (this.connection !== null) await new Promise<void>((resolve) => this.onChange.push(resolve));
  }

  private set(connection: MqttConnection | null, problem: KerfError | null): void {
    this.connection = connection;
    this.problem = problem;
    for (const wake of this.onChange.splice(0)) wake();
  }

  private status(state: 'online' | 'offline' | 'stopped'): Buffer {
    return Buffer.from(JSON.stringify({ station: this.setup.station, sink: this.setup.name, state }));
  }
}

function addressOf(config: MqttConfig): () => Promise<MqttAddress> {
  const url = parseUrl(config.url);
  if (url === null || (url.protocol !== 'mqtt:' && url.protocol !== 'mqtts:') || url.hostname === '') {
    throw new KerfError('INVALID_ARGUMENT', `'${config.url}' is not an mqtt:// or mqtts:// URL`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new KerfError('INVALID_ARGUMENT', 'an MQTT URL must not hold a password; use user and passwordFrom');
  }
  const isPlain = url.protocol === 'mqtt:';
  if (isPlain && config.passwordFrom !== null && !isLoopback(url.hostname) && !config.allowPlainText) {
    throw new KerfError(
      'INVALID_ARGUMENT',
      `'${config.url}' would send the password unencrypted; use mqtts://, or set allowPlainText`,
    );
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = Number(url.port === '' ? (isPlain ? 1883 : 8883) : url.port);
  if (isPlain) return async () => ({ host, port, tls: null });
  const tls = tlsOf(config, host);
  return async () => ({ host, port, tls: await tls() });
}

/** As the files are at each connect: certificates are replaced while a line runs. */
function tlsOf({ ca, certificate, key }: MqttConfig, host: string): () => Promise<NonNullable<MqttAddress['tls']>> {
  const read = { ca: pemOf(ca), cert: pemOf(certificate), key: pemOf(key) };
  return async () => {
    const [caPem, certPem, keyPem] = await Promise.all([read.ca?.(), read.cert?.(), read.key?.()]);
    return {
      servername: /^[\d.]+$|:/.test(host) ? '' : host,
      ...(caPem !== undefined && { ca: caPem }),
      ...(certPem !== undefined && { cert: certPem }),
      ...(keyPem !== undefined && { key: keyPem }),
    };
  };
}

function pemOf(path: string | null): (() => Promise<string>) | null {
  return path === null ? null : pemFile(path);
}

/** Values are other people's texts: in a topic they are one level, and nothing that a broker refuses. */
function topicOf(template: string, station: string, record: ResultRecord | null): string {
  const values: Readonly<Record<string, string>> = {
    station,
    verdict: record?.verdict ?? '',
    source: record?.source ?? '',
    part: record?.partId ?? 'none',
  };
  const topic = template.replaceAll(/\{(\w*)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) {
      throw new KerfError(
        'INVALID_ARGUMENT',
        `topic '${template}' has {${name}}; known are ${Object.keys(values).join(', ')}`,
      );
    }
    return value.replaceAll(/[/+#\p{Cc}]/gu, '_');
  });
  if (/[+#\p{Cc}]/u.test(topic)) throw new KerfError('INVALID_ARGUMENT', `topic '${template}' must not hold + or #`);
  return topic;
}

// HAProxy and nginx in front of replicas, where they are installed.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Balancer {
  /** What edges connect to. */
  readonly port: number;
  stop(): Promise<void>;
}

export function isInstalled(program: string): boolean {
  return spawnSync(program, ['-v']).error === undefined;
}

/** Passes TLS through by connection, asks each replica whether it is ready. */
export async function startHaproxy(ports: readonly number[]): Promise<Balancer> {
  const port = await freePort();
  const servers = ports.map(
    (at, index) => `  server r${index} 127.0.0.1:${at} check check-ssl verify none inter 200ms fall 1 rise 1`,
  );
  return start(
    'haproxy',
    port,
    ['-db', '-f'],
    [
      'defaults',
      '  mode tcp',
      '  timeout connect 2s',
      '  timeout client 1h',
      '  timeout server 1h',
      'frontend edges',
      `  bind 127.0.0.1:${port}`,
      '  default_backend replicas',
      'backend replicas',
      '  balance roundrobin',
      '  option redispatch',
      '  option httpchk GET /v2/health/ready',
      ...servers,
    ],
  );
}

/** Ends plain WebSockets on this machine and speaks TLS to the replicas. */
export async function startNginx(ports: readonly number[]): Promise<Balancer> {
  const port = await freePort();
  return start(
    'nginx',
    port,
    ['-c'],
    [
      'daemon off; master_process off; error_log stderr crit; pid nginx.pid;',
      'events { worker_connections 256; }',
      'http {',
      '  access_log off;',
      ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `  ${name}_temp_path ${name};`),
      '  upstream replicas {',
      ...ports.map((at) => `    server 127.0.0.1:${at} max_fails=1 fail_timeout=1s;`),
      '  }',
      '  server {',
      `    listen 127.0.0.1:${port};`,
      '    location / {',
      '      proxy_pass https://replicas;',
      '      proxy_http_version 1.1;',
      '      proxy_ssl_protocols TLSv1.3;',
      '      proxy_set_header Upgrade $http_upgrade;',
      '      proxy_set_header Connection upgrade;',
      '      proxy_read_timeout 1h;',
      '      proxy_send_timeout 1h;',
      '      proxy_next_upstream error timeout http_503;',
      '    }',
      '  }',
      '}',
    ],
  );
}

async function start(
  program: string,
  port: number,
  args: readonly string[],
  config: readonly string[],
): Promise<Balancer> {
  const folder = await mkdtemp(join(tmpdir(), `kerf-${program}-`));
  const file = join(folder, 'balancer.conf');
  await writeFile(file, `${config.join('\n')}\n`);
  const prefix = program === 'nginx' ? ['-p', folder] : [];
  const child = spawn(program, [...prefix, ...args, file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (data) => {
    said = (said + String(data)).slice(-2000);
  });
  for (const endMs = Date.now() + 10_000; !(await answers(port)); ) {
    if (child.exitCode !== null || Date.now() > endMs) throw new Error(`${program} does not listen: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    port,
    async stop() {
      await ended(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** A port that was free a moment ago: these programs cannot say which one they took. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

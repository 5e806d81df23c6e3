// A small folder in place of the unpacked app -> what the archives of it hold, read by the tools that will unpack them.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../archives.mjs', import.meta.url));
const { version } = JSON.parse(readFileSync(join(SCRIPT, '../package.json'), 'utf8')) as { version: string };
const lacks = (tool: string): boolean => spawnSync(tool, ['--version']).status !== 0;
const missing = process.platform !== 'linux' ? 'written for Linux' : null;
const [noTar, noDebian] = [
  missing ?? (lacks('tar') ? 'no tar' : null),
  missing ?? (lacks('dpkg-deb') ? 'no dpkg-deb' : null),
];
const said = (reason: string | null): string => (reason === null ? '' : ` (${reason})`);

const shown = (program: string, ...args: string[]): string => execFileSync(program, args, { encoding: 'utf8' });

describe('archives of the desktop app', () => {
  let work = '';
  let made: string[] = [];

  beforeAll(() => {
    if (missing !== null) return;
    work = mkdtempSync(join(tmpdir(), 'kerf-archives-'));
    const app = join(work, 'linux-unpacked');
    mkdirSync(join(app, 'resources/station'), { recursive: true });
    for (const [name, mode] of [
      ['kerf-inspector', 0o755],
      ['chrome-sandbox', 0o755],
      ['resources/app.asar', 0o644],
    ] as const) {
      writeFileSync(join(app, name), name);
      chmodSync(join(app, name), mode);
    }
    writeFileSync(join(app, 'resources/station/linux-unpacked.txt'), 'a name like the folder’s');
    symlinkSync('linux-unpacked.txt', join(app, 'resources/station/link'));
    made = shown(process.execPath, SCRIPT, app, join(work, 'out')).trim().split('\n');
  });
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  test.skipIf(noTar !== null)(`a .tar.gz holds one folder, named with its version, of nobody's${said(noTar)}`, () => {
    const path = made.find((one) => one.endsWith(`kerf-inspector-${version}-linux-${process.arch}.tar.gz`));
    const lines = shown('tar', '-tvzf', path ?? '')
      .trim()
      .split('\n');
    for (const line of lines) expect(line).toMatch(new RegExp(`^[dl-][rwx-]{9} 0/0 .* kerf-inspector-${version}/`));
    expect(lines.join('\n')).toContain('station/link -> linux-unpacked.txt');
    execFileSync('tar', ['-xzf', path ?? '', '-C', work]);
    expect(statSync(join(work, `kerf-inspector-${version}/kerf-inspector`)).mode & 0o777).toBe(0o755);
  });

  test.skipIf(noDebian !== null)(
    `a .deb puts it below /opt, with a command, an entry and the sandbox's helper${said(noDebian)}`,
    () => {
      const path = made.find((one) => one.endsWith('.deb')) ?? '';
      const architecture = shown('dpkg', '--print-architecture').trim();
      expect(path).toMatch(new RegExp(`kerf-inspector_${version}_${architecture}\\.deb$`));
      const field = (name: string): string => shown('dpkg-deb', '--field', path, name).trim();
      expect([field('Package'), field('Version'), field('Architecture')]).toEqual([
        'kerf-inspector',
        version,
        architecture,
      ]);
      expect(field('Depends')).toContain('libnss3');
      expect(Number(field('Installed-Size'))).toBeGreaterThan(0);
      const contents = shown('dpkg-deb', '--contents', path);
      expect(contents).toMatch(/^-rwsr-xr-x root\/root .* \.\/opt\/kerf-inspector\/chrome-sandbox$/m);
      expect(contents).toMatch(/ \.\/usr\/bin\/kerf-inspector -> \/opt\/kerf-inspector\/kerf-inspector$/m);
      expect(contents).toMatch(/ \.\/usr\/share\/applications\/kerf-inspector\.desktop$/m);
      for (const line of contents.trim().split('\n')) expect(line).toContain(' root/root ');
      execFileSync('dpkg-deb', ['-x', path, join(work, 'installed')]);
      const entry = readFileSync(join(work, 'installed/usr/share/applications/kerf-inspector.desktop'), 'utf8');
      expect(entry).toMatch(/^Exec=\/opt\/kerf-inspector\/kerf-inspector %U$/m);
      expect(entry).toMatch(/^StartupWMClass=kerf-inspector$/m);
    },
  );

  test.skipIf(missing !== null)('a machine without either tool says so and makes nothing', () => {
    const { status, stderr, stdout } = spawnSync(
      process.execPath,
      [SCRIPT, join(work, 'linux-unpacked'), join(work, 'none')],
      {
        encoding: 'utf8',
        env: { PATH: join(work, 'nowhere') },
      },
    );
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/no tar on this machine[^]*no dpkg-deb on this machine/);
  });
});

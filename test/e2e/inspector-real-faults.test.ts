// What the Inspector says of a cloud whose certificate has expired and of a disk that is full, both real.
import { rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser } from 'playwright';
import { generate } from 'selfsigned';
import { afterAll, describe, expect, test } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { smallDisk } from '../support/small-disk.ts';
import { InspectedLine } from './support/inspected-line.ts';
import { checkScreen, keepPicture, soon } from './support/inspecting.ts';

const started = await startChromium();
const disk = smallDisk(16);

describe.skipIf(started.browser === null)(`real faults${started.reason ? ` (${started.reason})` : ''}`, () => {
  const browser = started.browser as Browser;
  afterAll(async () => {
    disk?.remove();
    await browser.close();
  });

  test('a certificate that has expired', async () => {
    const { server, ca } = await expiredCloud();
    const { port } = server.address() as AddressInfo;
    const cloud = { url: `wss://127.0.0.1:${port}`, model: 'whole', tokenFile: 'token', ca: 'ca.pem' };
    const line = await InspectedLine.open(browser, {
      name: 'line-7',
      parts: 1,
      files: { token: 'none', 'ca.pem': ca },
      more: [`cloud: ${JSON.stringify(cloud)}`],
    });
    try {
      for (const [language, words] of [
        ['en', 'has expired: here it is'],
        ['zh', '的证书已过期：本设备的时间为'],
      ] as const) {
        const { page, faults } = await line.page({ language });
        const banner = page.locator('.banner', { hasText: words });
        await banner.waitFor();
        await checkScreen(page, 'certificate');
        await keepPicture(page, `real-certificate-${language}`);
        await page.close();
        expect(faults).toEqual([]);
      }
    } finally {
      await line.close();
      server.close();
    }
  });

  test.skipIf(disk === null)(
    `a disk that is full, until there is room${disk === null ? ' (no small disk can be mounted)' : ''}`,
    async () => {
      const { path } = disk ?? expect.unreachable();
      const filler = join(path, 'filler');
      const line = await InspectedLine.open(browser, {
        name: 'line-7',
        parts: 2,
        more: [`  - { kind: images, path: ${join(path, 'pictures')}, verdicts: [PASS, REVIEW, NG] }`],
      });
      try {
        const [en, zh] = await Promise.all([line.page(), line.page({ language: 'zh' })]);
        await line.feed(1);
        await soon(async () => (await line.results()).length).toBe(1);
        await writeFile(filler, Buffer.alloc(32_000_000)).catch(() => {});
        await line.feed(3);
        for (const [name, { page }, words] of [
          ['en', en, 'The disk of this device is full. Make room, then try again.'],
          ['zh', zh, '磁盘已满'],
        ] as const) {
          await page.locator('.banner', { hasText: words }).waitFor();
          await checkScreen(page, 'disk');
          await keepPicture(page, `real-disk-${name}`);
        }
        await rm(filler);
        await en.page.locator('.banner').waitFor({ state: 'detached' });
        expect([...en.faults, ...zh.faults]).toEqual([]);
      } finally {
        await line.close();
      }
    },
  );
});

/** A server whose certificate the station trusts, and whose last day was yesterday. */
async function expiredCloud(): Promise<{ server: Server; ca: string }> {
  const yesterday = Date.now() - 86_400_000;
  const made = await generate([{ name: 'commonName', value: 'cloud of this test' }], {
    keyType: 'ec',
    notBeforeDate: new Date(yesterday - 86_400_000),
    notAfterDate: new Date(yesterday),
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  });
  const server = createServer({ key: made.private, cert: made.cert });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, ca: made.cert };
}

// Certificate and models folder.
import { X509Certificate } from 'node:crypto';
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { developmentCertificate, ModelCatalog } from '../src/index.ts';
import { rowsModel, temporaryFolder, writeModel, writeTail } from './support/models.ts';

describe('the development certificate', () => {
  it('is made once, names its hosts, and its key is private', async () => {
    const folder = join(temporaryFolder(), 'state');
    const first = await developmentCertificate(folder, ['edge.example', '10.0.0.7']);
    const certificate = new X509Certificate(first.certPem);
    for (const host of ['localhost', 'edge.example']) expect(certificate.checkHost(host)).toBe(host);
    for (const ip of ['127.0.0.1', '::1', '10.0.0.7']) expect(certificate.checkIP(ip)).toBe(ip);
    expect(certificate.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' });
    expect(statSync(join(folder, 'dev-key.pem')).mode & 0o777).toBe(0o600);
    expect((await developmentCertificate(folder, ['10.0.0.7'])).certPem).toBe(first.certPem);
  });

  it('is made anew for another host, before it expires, and when a file is damaged', async () => {
    const folder = temporaryFolder();
    const first = await developmentCertificate(folder, []);
    const other = await developmentCertificate(folder, ['another.example']);
    expect(other.certPem).not.toBe(first.certPem);
    const later = await developmentCertificate(folder, [], Date.now() + 80 * 24 * 3600 * 1000);
    expect(later.certPem).not.toBe(other.certPem);
    writeFileSync(join(folder, 'dev-key.pem'), 'nothing');
    expect((await developmentCertificate(folder, [])).certPem).not.toBe(later.certPem);
  });
});

describe('the models folder', () => {
  it('maps ids to files, and nothing else', async () => {
    const outside = temporaryFolder();
    const folder = temporaryFolder();
    writeModel(outside, 'secret', rowsModel());
    writeModel(folder, 'whole', rowsModel());
    writeModel(folder, 'line 1/ünï/deep', rowsModel());
    writeFileSync(join(folder, 'flat.onnx'), 'x');
    const { pair } = writeTail(folder, 'cut', rowsModel());
    symlinkSync(join(outside, 'secret'), join(folder, 'link'));
    symlinkSync(join(outside, 'secret', 'model.onnx'), join(folder, 'linked.onnx'));
    mkdirSync(join(folder, 'directory.onnx'));
    const catalog = await ModelCatalog.open(folder);
    expect(await catalog.list()).toEqual(['cut', 'flat', 'line 1/ünï/deep', 'whole']);
    expect(await catalog.find('whole', null)).toMatchObject({ kind: 'whole' });
    expect(await catalog.find('flat', null)).toMatchObject({ kind: 'whole', bytes: 1 });
    expect(await catalog.find('cut', pair)).toMatchObject({ kind: 'tail' });
    const hidden = [
      '',
      '.',
      '..',
      '../x',
      '/etc/passwd',
      'whole/',
      '/whole',
      'whole//model',
      'whole/../whole',
      'link',
      'linked',
      'cut/tail',
      'directory',
      'a\\b',
      'a\0b',
      'x'.repeat(600),
      'nothing',
      'C:x',
    ];
    for (const id of hidden)
      await expect(catalog.find(id, null), id).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });

  it('refuses a damaged manifest without naming a path', async () => {
    const folder = temporaryFolder();
    const { pair } = writeTail(folder, 'cut', rowsModel());
    const catalog = await ModelCatalog.open(folder);
    for (const text of ['{', '{}', '[]', '"x"']) {
      writeFileSync(join(folder, 'cut', 'split.json'), text);
      const found = catalog.find('cut', pair);
      await expect(found).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
      await found.catch((error: Error) => expect(error.message).not.toContain(folder));
    }
  });

  it('must be there', async () => {
    await expect(ModelCatalog.open(join(temporaryFolder(), 'none'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});

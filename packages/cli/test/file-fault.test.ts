// Errors of the file system that no command had words for, as the command line says them.
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeWhole } from '@kerf/edge-runtime/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileFault } from '../src/file-fault.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-fault-'));
  await writeFile(join(folder, 'file'), '');
});

afterAll(() => rm(folder, { recursive: true }));

async function said(work: Promise<unknown>): Promise<string | undefined> {
  const error = await work.then(
    () => null,
    (cause: unknown) => cause,
  );
  return fileFault(error)?.message.replaceAll(folder, '.');
}

describe('an error of the file system', () => {
  it('names the folder that cannot be made, and why', async () => {
    expect(await said(mkdir(join(folder, 'file')))).toBe("the folder './file' cannot be made: a file has its name");
    expect(await said(mkdir(join(folder, 'file', 'x')))).toBe(
      "the folder './file/x' cannot be made: a part of its path is a file",
    );
  });

  it('names the file that was to be written, not the one that it is written under', async () => {
    expect(await said(writeWhole(join(folder, 'away', 'a.token'), ''))).toBe(
      "'./away/a.token' cannot be used: it, or the folder that it lies in, is not there",
    );
  });

  it('says of a read-only disk that it is one', () => {
    const error = Object.assign(new Error('EROFS: read-only file system'), {
      code: 'EROFS',
      path: '/k',
      syscall: 'mkdir',
    });
    expect(fileFault(error)?.message).toBe(
      "the folder '/k' cannot be made: its disk is read-only; choose another place",
    );
  });

  it('leaves other errors alone', async () => {
    expect(fileFault(new Error('no'))).toBeNull();
    expect(fileFault(null)).toBeNull();
    expect(await said(open(folder, 'w'))).toBe("'.' cannot be used: it is a folder");
  });
});

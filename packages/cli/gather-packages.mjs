// Packages of this workspace and all that they need -> plain files below another folder's node_modules, without what builds and
// tests them and without what other platforms need. For what is installed where there is no npm.
import { cp, readFile, realpath, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const NEVER = /\.(map|[cm]?ts|tsbuildinfo)$|^(test|tests|docs|example|examples)(\/|$)/;
/** Of onnxruntime-node: one platform of five. */
const isOfPlatform = (path) => !path.startsWith('bin/') || path.includes(`/${process.platform}/${process.arch}/`);

/**
 * @param from folder of a workspace, absolute
 * @param target folder that gets `node_modules`
 * @param kept by a package's name: which of its files are wanted, by path inside it; all where it has no entry
 * @param published by a workspace's name: what is taken in place of what it publishes
 */
export async function gatherPackages({ from, target, kept = new Map(), published = new Map() }) {
  const keeps = new Map([['onnxruntime-node', isOfPlatform], ...kept]);
  const copied = new Set();
  await copyPackage(from);

  /** The package in `folder` and all that it needs, each to the place that it has below the repository's root. */
  async function copyPackage(folder) {
    if (copied.has(folder)) return;
    copied.add(folder);
    const { name, files, dependencies = {}, optionalDependencies = {} } = await readManifest(folder);
    const path = relative(root, folder).split(sep).join('/');
    const inside = path.includes('node_modules/');
    const place = join(target, inside ? await placeOf(path) : join('node_modules', name));
    const isKept = keeps.get(name) ?? (() => true);
    // A workspace is more than what it publishes.
    for (const entry of inside ? ['.'] : (published.get(name) ?? ['package.json', ...files])) {
      await cp(join(folder, entry), join(place, entry), {
        recursive: true,
        filter: async (source) => {
          const part = relative(folder, source).split(sep).join('/');
          if (part.startsWith('node_modules') || NEVER.test(part)) return false;
          return (await stat(source)).isDirectory() || isKept(part);
        },
      });
    }
    for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies })) {
      // Bundled into its page.
      if (name === '@kerf/inspector' && !dependency.startsWith('@kerf/')) continue;
      const found = await folderOf(dependency, folder);
      if (found !== null) await copyPackage(found);
      else if (!(dependency in optionalDependencies))
        throw new Error(`${name} needs ${dependency}, which is not installed: run npm ci`);
    }
  }
}

/** What lies in a workspace's own node_modules lies in that of its copy. */
async function placeOf(path) {
  const [, workspace, rest] = /^((?:packages|apps)\/[^/]+)\/(.*)$/.exec(path) ?? [];
  if (workspace === undefined) return path;
  const { name } = await readManifest(join(root, workspace));
  return join('node_modules', name, rest);
}

/** As Node looks for it: in node_modules of this folder and of every one above it; a workspace's link leads to the workspace. */
async function folderOf(dependency, from) {
  for (const path of createRequire(join(from, 'package.json')).resolve.paths(dependency) ?? []) {
    const folder = join(path, dependency);
    const found = await readManifest(folder).then(
      () => true,
      () => false,
    );
    if (found) return realpath(folder);
  }
  return null;
}

async function readManifest(folder) {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
}

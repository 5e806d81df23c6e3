// What a thread or a process starts from, named by the code beside it that starts it -> the compiled file.

/**
 * Sources run as they are only under a test runner, which a thread or a process of its own is not: there the build's file is
 * started. Whoever starts something lists it in `STARTED` of `cli/bundle-command.mjs`, which puts all of it into one folder.
 * @param from `import.meta.url` of the file beside it
 */
export function startedFile(name: string, from: string): URL {
  const beside = new URL(`./${name}.js`, from);
  if (!from.endsWith('.ts')) return beside;
  const at = beside.href.lastIndexOf('/src/');
  return new URL(`${beside.href.slice(0, at)}/dist/${beside.href.slice(at + '/src/'.length)}`);
}

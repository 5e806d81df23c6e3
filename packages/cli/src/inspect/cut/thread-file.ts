// The name of a thread's code beside this file -> what a worker loads: sources run as they are under a test runner only.

export function threadFile(name: string, from: string): URL {
  return new URL(from.endsWith('.ts') ? `../../../dist/inspect/cut/${name}.js` : `./${name}.js`, from);
}

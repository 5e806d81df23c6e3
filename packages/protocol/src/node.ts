// Node-only door: folders, and the heap of a process.

export { growHeapFreely } from './node/heap-growth.ts';
export { makeFolders } from './node/make-folders.ts';

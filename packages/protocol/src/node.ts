// Node-only door: folders, threads, and the heap of a process.

export { connectPatiently } from './node/connect-patiently.ts';
export { endThread, endWhenAsked } from './node/end-thread.ts';
export { fetchTrusting } from './node/fetch-trusting.ts';
export { growHeapFreely } from './node/heap-growth.ts';
export { makeFolders } from './node/make-folders.ts';
export { writeError } from './node/write-error.ts';

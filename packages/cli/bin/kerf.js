#!/usr/bin/env node
// Committed, so that `npx kerf` is linked before the first build.
await import('../dist/bin/main.js');

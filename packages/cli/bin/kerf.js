#!/usr/bin/env node
// Committed, so that `npx kerf` is linked before the first build.
import process from 'node:process';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`kerf: needs Node 20.19 or later, and this is ${process.versions.node}\n`);
  process.exit(1);
}
await import('../dist/bin/main.js');

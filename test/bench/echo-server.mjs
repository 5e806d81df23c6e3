// Entry of a process: the barest echo over ws, with the settings that the cloud uses; on `/short` only the first 4 bytes
// go back, on `/behind` a second process gives the bytes back through a pipe. Tells its port over IPC.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import process from 'node:process';
import { WebSocketServer } from 'ws';

const [certPath, keyPath] = process.argv.slice(2);
const server = createServer({ cert: readFileSync(certPath), key: readFileSync(keyPath), minVersion: 'TLSv1.3' });
const sockets = new WebSocketServer({ server, perMessageDeflate: false, maxPayload: 64 * 1024 * 1024 });
sockets.on('connection', (socket, { url }) => {
  const send = (data) => socket.send(data, { binary: true });
  if (url === '/behind') echoBehind(socket, send);
  else socket.on('message', (data) => send(url === '/short' ? data.subarray(0, 4) : data));
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.once('disconnect', () => process.exit(0));

/** One message at a time: as many bytes as went to the second process come back. */
function echoBehind(socket, send) {
  const source =
    "const net = require('node:net'); const pipe = new net.Socket({ fd: 3, readable: true, writable: true }); pipe.pipe(pipe);";
  const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
  const pipe = child.stdio[3];
  let answer = Buffer.alloc(0);
  let filled = 0;
  socket.on('message', (data) => {
    answer = Buffer.allocUnsafe(data.byteLength);
    filled = 0;
    pipe.write(data);
  });
  pipe.on('data', (chunk) => {
    filled += chunk.copy(answer, filled);
    if (filled === answer.byteLength) send(answer);
  });
  socket.on('close', () => child.kill());
}

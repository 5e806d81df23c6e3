// Entry of a process: the barest echo over ws, with the settings that the cloud uses; on `/short` only the first 4 bytes
// go back. Tells its port over IPC.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import process from 'node:process';
import { WebSocketServer } from 'ws';

const [certPath, keyPath] = process.argv.slice(2);
const server = createServer({ cert: readFileSync(certPath), key: readFileSync(keyPath), minVersion: 'TLSv1.3' });
const sockets = new WebSocketServer({ server, perMessageDeflate: false, maxPayload: 64 * 1024 * 1024 });
sockets.on('connection', (socket, { url }) => {
  const answer = url === '/short' ? (data) => data.subarray(0, 4) : (data) => data;
  socket.on('message', (data) => socket.send(answer(data), { binary: true }));
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.once('disconnect', () => process.exit(0));

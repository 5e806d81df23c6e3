// An S3 server of others as a process: `node s3-server.mjs FOLDER PORT BUCKET`. Its objects are files below FOLDER; says its port.
import S3rver from '@20minutes/s3rver';

const [directory, port, name] = process.argv.slice(2);
const server = new S3rver({
  directory,
  port: Number(port),
  address: '127.0.0.1',
  silent: true,
  configureBuckets: name === undefined ? [] : [{ name }],
});
const address = await server.run();
process.send?.(address.port);
process.once('disconnect', () => process.exit());

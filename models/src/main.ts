// The command line of the generator: `npm run COMMAND -w @kerf/models -- ARGUMENTS`.
import { KerfError, messageOf } from '@kerf/protocol';
import { cards } from './commands/cards.ts';
import { dataset } from './commands/dataset.ts';
import { fashion } from './commands/fashion.ts';
import { lines } from './commands/lines.ts';
import { USAGE_CODE } from './commands/options.ts';
import { video } from './commands/video.ts';

const COMMANDS = { dataset, lines, video, fashion, cards };

async function main(): Promise<void> {
  const [name = '', ...rest] = process.argv.slice(2);
  const command = Object.entries(COMMANDS).find(([known]) => known === name)?.[1];
  if (command === undefined) {
    throw new KerfError('INVALID_ARGUMENT', `commands are ${Object.keys(COMMANDS).join(', ')}; got '${name}'`);
  }
  if (rest.includes('--help')) process.stdout.write(`${command.usage}\n`);
  else process.stdout.write(`${await command.run(rest)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`error: ${messageOf(error)}\n`);
  process.exitCode = KerfError.is(error) && error.code === 'INVALID_ARGUMENT' ? USAGE_CODE : 1;
});

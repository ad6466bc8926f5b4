// Entry point: runs the command line in this process.
import { printMessage } from './fail.ts';
import { main } from './main.ts';
import { leaveClosedTerminal } from '../util/output-writer.ts';
import { createWorld } from './world.ts';

const world = createWorld();
process.once('exit', leaveClosedTerminal);
// An unhandled rejection in a module must not end the process, which would leave hosts partly
// changed.
process.on('unhandledRejection', (error) => {
  printMessage(
    world,
    `warning: Unhandled error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
});
const exitCode = await main(process.argv.slice(2), world);
await Promise.all([world.stdout.flushed(), world.stderr.flushed()]);
// All work is done here, so a connection or timer that is still open must not keep the process.
process.exit(exitCode);

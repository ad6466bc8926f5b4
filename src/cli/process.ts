// The program: gives this process to the command line, which itself needs none.
import { tell } from './fail.ts';
import { main } from './main.ts';
import { leaveClosedTerminal } from '../util/output-writer.ts';
import { createWorld } from './world.ts';

const world = createWorld();
process.once('exit', leaveClosedTerminal);
// What a module leaves unattended must not end a run, whose hosts would stay half-way.
process.on('unhandledRejection', (error) => {
  tell(
    world,
    `warning: An error was not handled: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
});
process.exitCode = await main(process.argv.slice(2), world);

// The program: gives this process to the command line, which itself needs none.
import { main } from './main.ts';
import { leaveClosedTerminal } from '../util/output-writer.ts';
import { createWorld } from './world.ts';

process.once('exit', leaveClosedTerminal);
process.exitCode = await main(process.argv.slice(2), createWorld());

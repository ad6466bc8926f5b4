// The program: gives this process to the command line, which itself needs none.
import { main } from './main.ts';
import { createWorld } from './world.ts';

// The reader of the output may close it (`runner play … | head`); the run goes on and the journal records all of it.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
process.exitCode = await main(process.argv.slice(2), createWorld());

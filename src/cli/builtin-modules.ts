import { createRegistry } from '../core/module.ts';
import * as mkeModules from '../mke/modules/index.ts';
import * as modules from '../modules/index.ts';
import * as undoModules from '../modules/undo/index.ts';

/** Every module of runner. Loading them takes a while, so only commands that read playbooks import this file. */
export const builtinModules = createRegistry(
  [...Object.values(modules), ...Object.values(mkeModules)],
  Object.values(undoModules),
);

import { createRegistry } from '../core/module.ts';
import * as mkeModules from '../mke/modules/index.ts';
import * as modules from '../modules/index.ts';
import * as undoModules from '../modules/undo/index.ts';

/**
 * All built-in modules. Loading them is slow, so only commands that read playbooks import this
 * file.
 */
export const builtinModules = createRegistry(
  [...Object.values(modules), ...Object.values(mkeModules)],
  Object.values(undoModules),
);

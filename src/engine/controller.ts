import { TemplateError } from '../core/errors.ts';
import type { ControllerDisk } from '../core/ports.ts';
import type { Controller } from '../template/controller-helpers.ts';
import { placesOf } from '../util/paths.ts';
import { isVault } from '../util/vault.ts';

/** Maximum size of a file that a template can read. */
const MAX_BYTES = 1024 * 1024;

/**
 * What templates can read on the controller.
 *
 * @param directories those of the role and the playbook, nearest first
 */
export function controllerFor(
  {
    environment,
    startedAt,
    files,
  }: { environment: NodeJS.ProcessEnv; startedAt: Date; files: ControllerDisk },
  directories: readonly string[],
): Controller {
  return {
    startedAt,
    env: (name) => environment[name],
    file(name) {
      const places = placesOf(name, directories, 'files');
      const path = places.find((one) => files.look(one)?.is === 'file');
      if (path === undefined)
        throw new TemplateError(`There is no file "${name}" on the controller.`, {
          hint: `Looked for ${places.join(', ')}.`,
        });
      return textOf(path, files);
    },
  };
}

function textOf(path: string, files: ControllerDisk): string {
  const size = files.look(path)?.size ?? 0;
  if (size > MAX_BYTES)
    throw new TemplateError(
      `"${path}" has ${String(size)} bytes. A value can have at most 1 MiB.`,
      {
        hint: 'Use the module "copy" to transfer the file to the host.',
      },
    );
  const bytes = files.bytes(path);
  const text = bytes.toString('utf8');
  if (isVault(text))
    throw new TemplateError(`"${path}" is encrypted.`, {
      hint: 'Use "vars_files" to read its values, or the module "copy" to transfer the file.',
    });
  if (!Buffer.from(text).equals(bytes)) throw new TemplateError(`"${path}" is not UTF-8 text.`);
  return text;
}

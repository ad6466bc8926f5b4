import { TemplateError } from '../core/errors.ts';

/** Access of templates to the controller. */
export interface Controller {
  /** An environment variable of runner. */
  env(name: string): string | undefined;
  /** Content of a file: in `files/` of the role, next to the playbook, or at an absolute path. */
  file(path: string): string;
  /** First start of the run; resuming does not change it. */
  startedAt: Date;
}

type ControllerHelper = (controller: Controller, ...args: unknown[]) => unknown;

/** Helpers that read the controller when a task is rendered. */
export const controllerHelpers: Record<string, ControllerHelper> = {
  env(controller, name, fallback) {
    const value = controller.env(word(name, 'env'));
    if (value !== undefined) return value;
    if (fallback !== undefined) return fallback;
    throw new TemplateError(`The environment variable "${String(name)}" is not set.`, {
      hint: `Set it, or add a fallback: {{env "${String(name)}" "…"}}.`,
    });
  },
  file: (controller, path) => controller.file(word(path, 'file')).replace(/\n$/, ''),
  date(controller, format, seconds) {
    if (seconds !== undefined && typeof seconds !== 'number')
      throw new TemplateError(
        'Helper "date" expects a number of seconds since 1970 after the format.',
      );
    const when = seconds === undefined ? controller.startedAt : new Date(seconds * 1000);
    return formatDate(word(format, 'date'), when);
  },
};

function word(value: unknown, helper: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new TemplateError(`Helper "${helper}" expects a text that is not empty.`);
}

const two = (value: number) => String(value).padStart(2, '0');

/** The supported directives of strftime(3), all in UTC. */
const directives: Record<string, (when: Date) => string> = {
  Y: (when) => String(when.getUTCFullYear()),
  m: (when) => two(when.getUTCMonth() + 1),
  d: (when) => two(when.getUTCDate()),
  H: (when) => two(when.getUTCHours()),
  M: (when) => two(when.getUTCMinutes()),
  S: (when) => two(when.getUTCSeconds()),
  F: (when) => when.toISOString().slice(0, 10),
  T: (when) => when.toISOString().slice(11, 19),
  s: (when) => String(Math.floor(when.getTime() / 1000)),
  j: (when) => {
    const newYear = Date.UTC(when.getUTCFullYear(), 0, 1);
    return String(Math.floor((when.getTime() - newYear) / 86_400_000) + 1).padStart(3, '0');
  },
  u: (when) => String(when.getUTCDay() || 7),
  z: () => '+0000',
  Z: () => 'UTC',
  '%': () => '%',
};

/** @throws TemplateError for an unsupported directive or an invalid time */
function formatDate(format: string, when: Date): string {
  if (Number.isNaN(when.getTime()))
    throw new TemplateError('Helper "date" received a number of seconds that is not a valid time.');
  return format.replaceAll(/%(.?)/g, (_, letter: string) => {
    const directive = Object.hasOwn(directives, letter) ? directives[letter] : undefined;
    if (directive) return directive(when);
    throw new TemplateError(`Helper "date" does not support "%${letter}".`, {
      hint: `Use ${Object.keys(directives)
        .map((known) => `%${known}`)
        .join(' ')}.`,
    });
  });
}

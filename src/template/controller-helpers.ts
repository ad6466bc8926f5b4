import { TemplateError } from '../core/errors.ts';

/** What a template may learn of the machine that runs the playbook. */
export interface Controller {
  /** A variable of the runner's own environment. */
  env(name: string): string | undefined;
  /** Text of a file: in `files/` of the role or beside the playbook, or at an absolute path. */
  file(path: string): string;
  /** When the run began; a resumed run began when it was first started. */
  startedAt: Date;
}

type ControllerHelper = (controller: Controller, ...args: unknown[]) => unknown;

/** Helpers that read the controller, while a task is prepared. */
export const controllerHelpers: Record<string, ControllerHelper> = {
  env(controller, name, fallback) {
    const value = controller.env(word(name, 'env'));
    if (value !== undefined) return value;
    if (fallback !== undefined) return fallback;
    throw new TemplateError(`The environment of the runner has no "${String(name)}".`, {
      hint: `Set it, or give a fallback: {{env "${String(name)}" "…"}}.`,
    });
  },
  file: (controller, path) => controller.file(word(path, 'file')).replace(/\n$/, ''),
  date(controller, format, seconds) {
    if (seconds !== undefined && typeof seconds !== 'number')
      throw new TemplateError('Helper "date" wants seconds since 1970 behind the format.');
    const when = seconds === undefined ? controller.startedAt : new Date(seconds * 1000);
    return formatDate(word(format, 'date'), when);
  },
};

function word(value: unknown, helper: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new TemplateError(`Helper "${helper}" wants a text.`);
}

const two = (value: number) => String(value).padStart(2, '0');

/** Directives of strftime(3) that name a number; all in UTC. */
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

/** @throws TemplateError for a directive that is not known, or a time that is none */
function formatDate(format: string, when: Date): string {
  if (Number.isNaN(when.getTime()))
    throw new TemplateError('Helper "date" got a number of seconds that is no time.');
  return format.replaceAll(/%(.?)/g, (_, letter: string) => {
    const directive = Object.hasOwn(directives, letter) ? directives[letter] : undefined;
    if (directive) return directive(when);
    throw new TemplateError(`Helper "date" does not know "%${letter}".`, {
      hint: `It knows ${Object.keys(directives)
        .map((known) => `%${known}`)
        .join(' ')}.`,
    });
  });
}

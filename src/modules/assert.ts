import { StatedError } from '../core/errors.ts';
import { conditionsArgument, type Module } from '../core/module.ts';

const schema = {
  type: 'object',
  properties: {
    that: {
      ...conditionsArgument,
      description: 'Conditions that must all be true.',
    },
    fail_msg: { type: 'string', description: 'Message if a condition is false.' },
    quiet: {
      type: 'boolean',
      description: 'Print no message if all conditions are true. Default: false.',
    },
    success_msg: { type: 'string', description: 'Message if all conditions are true.' },
  },
  required: ['that'],
  additionalProperties: false,
} as const;

interface Args {
  /** Evaluated by the engine: true, or the text of a condition that is false. */
  that: (string | boolean)[];
  fail_msg?: string;
  success_msg?: string;
  quiet?: boolean;
}

export const assert: Module<Args> = {
  name: 'assert',
  summary: 'Fail unless all conditions are true.',
  args: schema,
  effect: 'reads',

  plan({ that, fail_msg: failMessage, success_msg: successMessage, quiet = false }) {
    const broken = that.filter((one) => one !== true);
    if (broken.length > 0) {
      const which = `Not true: ${broken.join('; ')}.`;
      if (failMessage === undefined) throw new StatedError(which);
      // "fail_msg" does not name the condition that failed, so add it if there are several.
      throw new StatedError(
        that.length > 1 ? `${failMessage.trim()} (${which})` : failMessage.trim(),
      );
    }
    const said = quiet ? {} : { msg: successMessage ?? 'All conditions hold.' };
    return { actions: [], result: said };
  },
};

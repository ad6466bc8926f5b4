import { StatedError } from '../core/errors.ts';
import { conditionsArgument, type Module } from '../core/module.ts';

const schema = {
  type: 'object',
  properties: {
    that: {
      ...conditionsArgument,
      description: 'Conditions that must all hold.',
    },
    fail_msg: { type: 'string', description: 'What to say when one does not.' },
    quiet: { type: 'boolean', description: 'Say nothing when all hold. Default: false.' },
    success_msg: { type: 'string', description: 'What to say when all hold.' },
  },
  required: ['that'],
  additionalProperties: false,
} as const;

interface Args {
  /** Tested by the engine, which knows the variables: a failed condition arrives as its text. */
  that: (string | boolean)[];
  fail_msg?: string;
  success_msg?: string;
  quiet?: boolean;
}

export const assert: Module<Args> = {
  name: 'assert',
  summary: 'Stop the host unless conditions hold.',
  args: schema,
  effect: 'reads',

  plan({ that, fail_msg: failMessage, success_msg: successMessage, quiet = false }) {
    const broken = that.filter((one) => one !== true);
    if (broken.length > 0) {
      const which = `Not true: ${broken.join('; ')}.`;
      if (failMessage === undefined) throw new StatedError(which);
      // The words of the playbook say it; which of several conditions it was, they cannot.
      throw new StatedError(
        that.length > 1 ? `${failMessage.trim()} (${which})` : failMessage.trim(),
      );
    }
    const said = quiet ? {} : { msg: successMessage ?? 'All conditions hold.' };
    return { actions: [], result: said };
  },
};

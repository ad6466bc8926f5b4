import { UsageError } from '../../core/errors.ts';
import type { Become, Playbook } from '../../language/document.ts';
import type { RecordedRun } from '../../journal/recorded-run.ts';
import { fileChecksum } from '../../journal/store.ts';
import { addConsentOption, type ConsentFlags } from '../flags/consent.ts';
import { openPlaybook } from '../playbooks.ts';
import { acceptedPoints } from '../run/no-return.ts';
import { recordedSettings } from '../run/recorded.ts';
import { readRecoveryRequest, recover, type RecoverOptions } from '../run/recovery.ts';
import { playForward } from '../wiring.ts';
import type { World } from '../world.ts';

interface ResumeOptions extends RecoverOptions, ConsentFlags {
  force?: boolean;
}

/** `runner resume [RUN]`: continues a run from its journal and the files of its playbook. */
export function resumeCommand(world: World, argv: string[]): Promise<number> {
  const description = 'Resume an unfinished run where it stopped.';
  const request = readRecoveryRequest<ResumeOptions>(
    world,
    { mode: 'resume', description, argv },
    (command) =>
      addConsentOption(
        command.option('--force', 'resume even if files of the playbook have changed'),
      ),
  );
  const { id, options } = request;
  return recover(world, request, async (found) => {
    const playbook = await playbookAgain(world, found, options.force === true);
    // A changed playbook may have new points of no return.
    const chosen = recordedSettings(found, world.redactor);
    const before = chosen.accepted;
    const accepted = await acceptedPoints(world, playbook, { options, chosen, before });
    return {
      work: (engine, stop) => {
        engine.log.signal({ t: 'message', level: 'info', text: `Resuming run ${id}.` });
        return playForward(world, engine, {
          playbook,
          stop,
          onInterrupt: options.onInterrupt,
        });
      },
      accepted: accepted.filter((name) => !before.includes(name)),
    };
  });
}

/** @throws UsageError if a file of the playbook has changed since the run started, unless forced */
async function playbookAgain(
  world: World,
  { header, files }: RecordedRun,
  force: boolean,
): Promise<Playbook> {
  const playbook = await openPlaybook(world, header.playbook, {
    become: header.options['become'] as Partial<Become> | undefined,
  });
  const changed = files.filter(({ path, sha256 }) => fileChecksum(path) !== sha256);
  if (changed.length > 0 && !force) {
    throw new UsageError(
      `Files have changed since run ${header.run} started: ${changed.map(({ path }) => path).join(', ')}.`,
      {
        hint: `Roll back the run with "runner rollback ${header.run}", which uses the recorded files, or resume it with the changed files: --force.`,
      },
    );
  }
  return playbook;
}

import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readVaultKeys, recordedVaultFlags } from '../../../src/cli/flags/vault.ts';
import { Cli } from '../../helpers/cli.ts';
import { quietWorld } from '../../helpers/world.ts';

let cli: Cli;
beforeEach(() => {
  cli = new Cli();
});
afterEach(() => {
  cli.dispose();
});

describe('vault passwords', () => {
  it('come from files and from the output of programs', async () => {
    const file = cli.file('password', 'from a file\n');
    const client = cli.file('pass-client', '#!/bin/sh\necho "for $2"\n');
    chmodSync(client, 0o755);
    const flags = { vaultId: [`prod@${client}`], vaultPasswordFile: [file] };
    expect(await readVaultKeys(quietWorld(), flags)).toEqual([
      { id: 'prod', password: 'for prod' },
      { id: 'default', password: 'from a file' },
    ]);
  });

  it('come from the file in the environment variable if no option gives a source', async () => {
    const file = cli.file('password', 'from the environment\n');
    const world = quietWorld({ RUNNER_VAULT_PASSWORD_FILE: file });
    expect(await readVaultKeys(world, {})).toEqual([
      { id: 'default', password: 'from the environment' },
    ]);
    const other = cli.file('other', 'from a flag\n');
    expect(await readVaultKeys(world, { vaultPasswordFile: [other] })).toEqual([
      { id: 'default', password: 'from a flag' },
    ]);
  });

  it('must not be empty, and cannot be prompted for without a terminal', async () => {
    const empty = cli.file('empty', '\n');
    await expect(readVaultKeys(quietWorld(), { vaultPasswordFile: [empty] })).rejects.toThrow(
      `"${empty}" contains no password.`,
    );
    await expect(readVaultKeys(quietWorld(), { askVaultPass: true })).rejects.toThrow(
      'Cannot prompt for the vault password without a terminal.',
    );
  });
});

describe('the vault options in a journal', () => {
  it('name the sources of passwords with absolute paths', () => {
    const flags = { vaultId: ['prod@file', 'dev@prompt'], askVaultPass: true };
    expect(recordedVaultFlags(quietWorld(), flags)).toEqual({
      vaultId: [`prod@${join(process.cwd(), 'file')}`, 'dev@prompt'],
      askVaultPass: true,
    });
    const world = quietWorld({ RUNNER_VAULT_PASSWORD_FILE: 'password' });
    expect(recordedVaultFlags(world, {})).toEqual({
      vaultPasswordFile: [join(process.cwd(), 'password')],
    });
  });
});

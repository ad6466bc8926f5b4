import { describe, expect, it } from 'vitest';
import {
  decryptVault,
  encryptVault,
  isVault,
  openSource,
  Vault,
  vaultId,
} from '../../src/util/vault.ts';

/** Written by ansible-vault 2.14; the passwords are "old password" and "second". */
const plain = 'db:\n  password: s3cret-of-db\n  port: 5432\nusers: [eva-the-great]\n';
const byAnsible = `$ANSIBLE_VAULT;1.1;AES256
36666266303731633133353964343936396566323064613931336231373239323231303131393934
6430323635306661356430616532363465643739333939370a313030356666373435323763383562
39646565616434326163653161633334343161303764383834653662656535323230316435313131
6363646430616562390a366638353835303264346130623231626364313863353431333933313762
33303462316531326237343131336135306333366366663437343339383933363736353664636239
38383364333763643161386437356665613135306639306537343534356332396564316137393339
38353863646536333936313662366231313833663734653863363139396365643939636333326235
36623865333834333834
`;
const byAnsibleWithId = `$ANSIBLE_VAULT;1.2;AES256;prod
36626338653565613334656438346235643536346536633164353635633635326137626639396337
6665646532656461663637363332653530303763336335370a313263333732383561343962666362
37343135643131363535303731356366383466333839336132376238646266613536356664323865
6435393235636266620a346530343931356365666632366665376663393565623138343265353061
65396266646461323062353866383732363337313332353435373834303961623239656436636334
63646664646363366463383864653932366664386434353939636432323666656464386166336438
33303731393864613964643964633623363239636632353134626564653139666331616138343130
61393662373738353136
`;
const old = { id: 'default', password: 'old password' };
const prod = { id: 'prod', password: 'second' };
const open = (text: string, ...keys: (typeof old)[]) => decryptVault(text, keys, 'It').toString();

describe('the format of ansible-vault', () => {
  it('is decrypted with the matching one of several passwords', () => {
    expect(open(byAnsible, old)).toBe(plain);
    expect(open(byAnsible, prod, old)).toBe(plain);
    expect(open(byAnsible.replaceAll('\n', '\n          '), old)).toBe(plain);
    expect(isVault(byAnsible)).toBe(true);
    expect(vaultId(byAnsible)).toBeUndefined();
    expect(vaultId(byAnsibleWithId)).toBe('prod');
  });

  it('is encrypted for texts of every length', () => {
    for (const text of ['', 'x', 'a'.repeat(16), 'ü'.repeat(333)]) {
      const encrypted = encryptVault(Buffer.from(text), prod);
      expect(encrypted.split('\n')[0]).toBe('$ANSIBLE_VAULT;1.2;AES256;prod');
      expect(Math.max(...encrypted.split('\n').map((line) => line.length))).toBeLessThan(81);
      expect(open(encrypted, prod)).toBe(text);
    }
    expect(encryptVault(Buffer.from(plain), old)).not.toBe(encryptVault(Buffer.from(plain), old));
  });

  it('reports why a text cannot be decrypted', () => {
    expect(() => open(byAnsible)).toThrow('It is encrypted, and there is no password for it.');
    expect(() => open(byAnsible, prod)).toThrow('It is encrypted with another password.');
    expect(() => open(byAnsibleWithId, old)).toThrow('(vault id "prod")');
    expect(() => open(byAnsible.slice(0, 200), old)).toThrow('It is damaged');
    expect(() => open(byAnsible.replace('366662', '366663'), old)).toThrow('another password');
    expect(() => open('$ANSIBLE_VAULT;9.9;ROT13\n00', old)).toThrow('not a supported vault format');
    expect(() => open('$ANSIBLE_VAULT;1.1;AES256\nhello', old)).toThrow('It is damaged');
  });
});

describe('Vault', () => {
  it('reports each secret, and finds it again in the secret record of the run', () => {
    const secrets: Record<string, string> = {};
    const onSecret = (name: string, value: string) => {
      secrets[name] = value;
    };
    const vault = new Vault({ keys: [old], onSecret });
    expect(vault.file(byAnsible, '/v.yml')).toBe(plain);
    const value = { db: { password: 's3cret-of-db', port: 5432 }, users: ['eva-the-great'] };
    vault.remember(byAnsible, '/v.yml', value);
    expect(secrets).toEqual({
      'vault:/v.yml#db.password': 's3cret-of-db',
      'vault:/v.yml#users.0': 'eva-the-great',
    });
    const later: unknown[] = [];
    const [source] = vault.handOver((one) => later.push(one));
    if (!source) throw new Error('nothing was read');
    const again = openSource(source, [old], () => value);
    expect(Object.fromEntries(again.map((one) => [one.name, one.value]))).toEqual(secrets);
    vault.value(encryptVault(Buffer.from('inline'), old), { file: '/p.yml', line: 3, column: 7 });
    expect(later).toMatchObject([{ secrets: [{ name: 'vault:/p.yml:3:7' }] }]);
  });

  it('does not decrypt values that are not used', () => {
    const vault = new Vault({ keys: [], onSecret: () => undefined, lenient: true });
    expect(vault.file(byAnsible, '/v.yml')).toBeUndefined();
    expect(vault.value(byAnsible, { file: '/p.yml', line: 1, column: 1 })).toBe('(encrypted)');
  });
});

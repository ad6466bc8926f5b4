import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import { quote } from '../util/shell.ts';

const HEX_DIGITS = { md5: 32, sha1: 40, sha224: 56, sha256: 64, sha384: 96, sha512: 128 };

/** The checksum of a file in a list in the format of `sha256sum`. The host downloads the list. */
export const publishedSum: Fact<
  [url: string, file: string, algorithm: string, seconds: string],
  string
> = {
  name: 'file.published_sum',
  command: (url, _file, _algorithm, seconds) => ({
    script: `if command -v curl >/dev/null; then curl -fsSL --retry 2 --max-time ${seconds} -- ${quote(url)}
elif command -v wget >/dev/null; then wget -q -T ${seconds} -O - ${quote(url)}
else echo 'the host has neither curl nor wget' >&2; false; fi </dev/null`,
  }),
  parse({ code, stdout, stderr }, url, file, algorithm) {
    if (code !== 0)
      throw new TaskError(`Cannot download the checksums from ${url}: ${stderr.trim()}`, {
        hint: 'Check the URL, or use the checksum itself.',
      });
    const digits = HEX_DIGITS[algorithm as keyof typeof HEX_DIGITS];
    const isSum = (text: string): boolean => text.length === digits && /^[0-9a-f]+$/i.test(text);
    const lines = stdout.split('\n').filter((line) => line.trim() !== '');
    // "*" marks files that were read in binary mode.
    const sums = lines.flatMap((line) => {
      const [, sum = '', name = ''] = /^(\S+)\s+\*?(.+?)\s*$/.exec(line) ?? [];
      return isSum(sum) && name.replace(/^.*\//, '') === file ? [sum.toLowerCase()] : [];
    });
    const alone = lines.length === 1 ? lines.map((line) => line.trim()).filter(isSum) : [];
    const [sum, ...others] = new Set([...sums, ...alone.map((one) => one.toLowerCase())]);
    if (sum === undefined || others.length > 0)
      throw new TaskError(
        `${url} ${sum === undefined ? 'has no' : 'has more than one'} ${algorithm} checksum of "${file}".`,
        { hint: 'Use the checksum itself instead of a URL.' },
      );
    return sum;
  },
};

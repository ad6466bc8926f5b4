import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  FUNCTIONS,
  isFixed,
  type Chapter,
  type HostName,
  type Question,
  type Reason,
  type Shape,
} from './questions.ts';

export interface Answer {
  code: number;
  stdout: string;
  stderr: string;
}

/** The k0s that answers, and its hosts. */
export interface Arrangement {
  /** Release of the k0s that answers, such as v1.29.15+k0s.0. */
  version: string;
  /** What it lacks to answer some questions; see `Question.needs`. */
  lacks: readonly Reason[];
  /** Definitions of the shell functions "own_address", "bring_images" and "pause SECONDS" on a host. */
  functions(host: HostName): string;
  /** Runs a shell command as root. */
  ask(host: HostName, command: string, stdin: string): Promise<Answer>;
}

/** Whether a question applies to a release and an arrangement. */
export function isAsked(
  question: Question,
  { version, lacks }: Pick<Arrangement, 'version' | 'lacks'>,
): boolean {
  if (question.needs !== undefined && lacks.includes(question.needs)) return false;
  if (question.from && !isFixed(version, question.from)) return false;
  return !question.before || !isFixed(version, question.before);
}

/** Declares one test for each question. */
export function itAnswers(
  chapters: readonly Chapter[],
  where: Pick<Arrangement, 'version' | 'lacks'>,
  arrangement: () => Arrangement,
): void {
  const ask = (host: HostName, command: string, stdin = ''): Promise<Answer> =>
    arrangement().ask(host, `${arrangement().functions(host)}\n${FUNCTIONS}\n${command}`, stdin);
  const arrange = async (host: HostName, command: string, stdin = ''): Promise<string> => {
    const { code, stdout, stderr } = await ask(host, command, stdin);
    if (code === 0) return stdout;
    throw new Error(`On ${host}, this ended with ${String(code)}: ${command}\n${stdout}${stderr}`);
  };

  for (const { situation, enter = [], each, questions } of chapters) {
    describe(situation, () => {
      beforeAll(async () => {
        let printed = '';
        for (const { on, run } of enter) printed = await arrange(on, run, printed);
      });
      for (const question of questions.filter((one) => isAsked(one, where))) {
        it(question.claim, async () => {
          const host = question.on ?? 'h1';
          if (each !== undefined) await arrange(host, each);
          if (question.arrange !== undefined) await arrange(host, question.arrange);
          const answer = await ask(host, question.ask);
          expect(answer.code, answer.stdout + answer.stderr).toBe(question.code);
          expectShape(answer.stdout, question.stdout);
          expectShape(answer.stderr, question.stderr);
        });
      }
    });
  }
}

function expectShape(text: string, shape: Shape = ''): void {
  if (typeof shape === 'string') expect(text).toBe(shape);
  else if (shape instanceof RegExp) expect(text).toMatch(shape);
  else if ('json' in shape) expect(JSON.parse(text)).toMatchObject(shape.json as object);
  else expect(gunzipSync(Buffer.from(text, 'base64')).toString('utf8')).toMatch(shape.token);
}

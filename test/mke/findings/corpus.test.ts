import { describe, expect, it } from 'vitest';
import { corpusFiles, findingsIn } from './corpus.ts';

const defects = corpusFiles('defect');
const twins = corpusFiles('clean');

describe('the corpus of manifests', () => {
  it('has 60 files with one defect each, and a corrected twin of each', () => {
    expect(defects).toHaveLength(60);
    expect(twins.map(({ name }) => name)).toEqual(defects.map(({ name }) => name));
  });

  it.each(defects)('finds $finds in $name, and nothing else', ({ finds, text }) => {
    expect(findingsIn(text).map(({ id }) => id)).toEqual([finds]);
  });

  it.each(twins)('finds nothing in the corrected twin of $name', ({ finds, text }) => {
    expect(finds).toBe('');
    expect(findingsIn(text)).toEqual([]);
  });

  it('has twins that differ in few lines', () => {
    defects.forEach(({ name, text }, index) => {
      const [own, other] = [text, twins[index]?.text ?? ''].map((one) => one.split('\n').slice(1));
      const changed = own?.filter((line, at) => line !== other?.[at]) ?? [];
      expect(changed.length, name).toBe(1);
      expect(own?.length, name).toBe(other?.length);
    });
  });

  it('results in findings with an object, a reason and a command', () => {
    for (const { name, text } of defects) {
      for (const { object, evidence, remedy } of findingsIn(text)) {
        expect(object, name).toMatch(/^\S+ \S/);
        expect(evidence, name).toMatch(/^[A-Za-z0-9].*\.$/s);
        expect(remedy, name).toMatch(/^(kubectl|docker|k0s|helm|grep|mkdir|nvidia-ctk) /);
      }
    }
  });

  it('results in findings without passwords of proxies or Helm values', () => {
    const said = defects.flatMap(({ text }) => findingsIn(text));
    expect(JSON.stringify(said)).not.toContain('hush');
  });
});

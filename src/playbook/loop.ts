import type { Source, Text } from '../core/value.ts';
import * as fields from '../language/fields.ts';
import { loopKeywords } from '../language/keywords.ts';
import { loop } from '../language/own-types.ts';
import type { MapReader } from '../yaml/map-reader.ts';
import type { Context } from './reading.ts';

/** The loop of a block or include. */
export interface Loop {
  items: Source;
  loopVar: string;
  label: Text | undefined;
}

export function loadLoop(reader: MapReader, outer: Context): Loop | undefined {
  const items = loop.read(reader, 'loop');
  const control = reader.reader('loop_control');
  const given = control ? fields.read(loopKeywords, control) : {};
  control?.close('"loop_control"');
  if (items === undefined) return undefined;
  const { loopVar, label } = fields.complete(loopKeywords, given);
  checkLoopVar(reader, loopVar, outer);
  return { items, loopVar, label };
}

/** Reports a loop that uses the loop variable of an enclosing loop. */
export function checkLoopVar(reader: MapReader, loopVar: string, outer: Context): void {
  if (!(loopVar in outer.loopValues)) return;
  reader.problem(
    'loop',
    `The loop variable "${loopVar}" is already used by an enclosing loop.`,
    'Rename one of them with loop_control: {loop_var: NAME}.',
  );
}

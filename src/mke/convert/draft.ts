import { arrayOf, objectOf, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { Mke3Config } from '../mke3-config.ts';
import { defaultSpec, type Target } from '../mke4-defaults.ts';
import type { Advice, Conversion, ConvertOptions, Unconverted } from './types.ts';
import { setPath, shownValue } from './values.ts';

/** Input and output of the sections: the MKE 3 configuration that they read and the MKE 4 "spec" that they fill. */
export class Draft {
  readonly from: Mke3Config;
  readonly options: ConvertOptions;
  readonly target: Target;
  readonly spec: JsonObject;
  readonly unconverted: Unconverted[] = [];
  readonly refusals: Unconverted[] = [];
  readonly metallbPools: Conversion['metallbPools'] = [];
  readonly k0sOnly: Conversion['k0sOnly'] = { calicoMtu: 0 };
  readonly profileNames: Conversion['profileNames'] = {};
  readonly profileFlags: Conversion['profileFlags'] = {};
  readonly origins: Conversion['origins'] = {};
  managersTakePods = true;

  constructor(source: Mke3Config, options: ConvertOptions) {
    this.from = source;
    this.options = options;
    this.target = options.target ?? '4.0';
    this.spec = defaultSpec(this.target);
  }

  /** Sets a field of "spec" unless the value is undefined. `list[x]` is the item with the name or provider x. */
  set(path: string, value: JsonValue | undefined): void {
    if (value === undefined) return;
    const [, list, name, field] = /^(.+)\[(.+)\]\.(.+)$/.exec(path) ?? [];
    if (list === undefined || name === undefined || field === undefined)
      setPath(this.spec, path, value);
    else setPath(this.item(list, name), field, value);
  }

  /** The map at a path of "spec". */
  at(path: string): JsonObject {
    return path.split('.').reduce((node, key) => objectOf(node[key]), this.spec);
  }

  /** An item of a list in "spec", by its name or provider. */
  item(path: string, name: string): JsonObject {
    const [, parent = '', list = ''] = /^(?:(.+)\.)?(.+)$/.exec(path) ?? [];
    const items = arrayOf((parent === '' ? this.spec : this.at(parent))[list]);
    const has = (one: JsonObject): boolean => [one['name'], one['provider']].includes(name);
    return objectOf(items.map(objectOf).find(has));
  }

  report(key: string, value: JsonValue, { why, what }: Advice): void {
    this.unconverted.push({ key, value: shownValue(key, value), why, what });
  }

  /** Whether --leave-out names a flag or plugin. If so, reports it. */
  leftOut(key: string, name: string): boolean {
    if (this.options.leaveOut?.includes(name) !== true) return false;
    this.report(key, name, {
      why: '--leave-out names it',
      what: 'set it by hand if you need it later',
    });
    return true;
  }
}

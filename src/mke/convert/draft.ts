import { arrayOf, objectOf, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { Mke3Config } from '../mke3-config.ts';
import { defaultSpec, type Target } from '../mke4-defaults.ts';
import type { Advice, Conversion, ConvertOptions, Unconverted } from './types.ts';
import { setPath, shownValue } from './values.ts';

/** A configuration of MKE 4 in the making: what the sections read, and where they put what they find. */
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

  /** Sets a field of "spec", unless there is no value. `list[x].field` is that of an item by its name or provider. */
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

  /** Whether the operator wants a flag or plugin left out, which is then reported. */
  leftOut(key: string, name: string): boolean {
    if (this.options.leaveOut?.includes(name) !== true) return false;
    this.report(key, name, {
      why: 'you asked to leave it out',
      what: 'set it by hand if you need it later',
    });
    return true;
  }
}

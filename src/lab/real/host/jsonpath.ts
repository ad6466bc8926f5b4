// Templates of kubectl "-o jsonpath=" with the features that roles and modules use: fields, indexes, equality filters, quoted
// text and "range".
type Json = unknown;

/** Renders a template like kubectl. A missing field is empty; maps and lists are printed as JSON. */
export function renderJsonPath(template: string, root: Json): string {
  const parts = template.split(/(\{(?:[^{}"]|"(?:[^"\\]|\\.)*")*\})/).filter((part) => part !== '');
  let at = 0;
  const render = (current: Json, shown: boolean): string => {
    let text = '';
    while (at < parts.length) {
      const part = parts[at++] ?? '';
      const inner = part.startsWith('{') ? part.slice(1, -1) : undefined;
      if (inner === 'end') return text;
      if (inner === undefined) text += shown ? part : '';
      else if (inner.startsWith('range ')) {
        const items = shown ? select(inner.slice(6).trim(), current) : [];
        const begin = at;
        if (items.length === 0) render(undefined, false);
        for (const item of items) {
          at = begin;
          text += render(item, true);
        }
      } else if (!shown) continue;
      else if (inner.startsWith('"')) text += JSON.parse(inner) as string;
      else text += select(inner, current).map(print).join(' ');
    }
    return text;
  };
  return render(root, true);
}

function print(value: Json): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(sortKeys(value));
}

const STEP = /^\.((?:[^.[\\]|\\.)+)|^\[(\*|\d+)\]|^\[\?\(@\.([\w.]+)=="([^"]*)"\)\]/;

/** The values at a path such as `.status.conditions[?(@.type=="Ready")].status`. */
function select(path: string, root: Json): Json[] {
  let values = [root];
  for (let rest = path; rest !== '';) {
    const match = STEP.exec(rest);
    if (!match) throw new Error(`jsonpath ${path} is not known here`);
    const [whole, name, index, field, wanted] = match;
    rest = rest.slice(whole.length);
    values = values
      .flatMap((value) => {
        if (name !== undefined) return [fieldOf(value, name.replaceAll(/\\(.)/g, '$1'))];
        const list = Array.isArray(value) ? (value as Json[]) : [];
        if (index === '*') return list;
        if (index !== undefined) return [list[Number(index)]];
        return list.filter((one) => fieldOf(one, field ?? '') === wanted);
      })
      .filter((value) => value !== undefined);
  }
  return values;
}

function fieldOf(value: Json, name: string): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, Json>)[name]
    : undefined;
}

/** Kubernetes prints the fields of an object sorted by name. */
export function sortKeys(value: Json): Json {
  if (Array.isArray(value)) return (value as Json[]).map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value as Record<string, Json>);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, one]) => [name, sortKeys(one)]),
  );
}

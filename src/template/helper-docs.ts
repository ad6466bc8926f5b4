import type { Controller } from './controller-helpers.ts';

/** Description of a helper, with an example and its result. Tests render each example. */
export interface HelperDoc {
  summary: string;
  example: string;
  result: unknown;
}

/** Variables used in the examples. */
export const exampleVariables = {
  x: 'Ab c',
  list: ['b', 'a', 'b'],
  nodes: [
    { name: 'm1', role: 'manager' },
    { name: 'w1', role: 'worker' },
  ],
  map: { a: 1, b: 2 },
};

/** The controller used in the examples. */
export const exampleController: Controller = {
  startedAt: new Date('2026-03-01T22:00:00Z'),
  env: (name) => (name === 'HOME' ? '/root' : undefined),
  file: (name) => `content of ${name}\n`,
};

function doc(summary: string, example: string, result: unknown): HelperDoc {
  return { summary, example, result };
}

export const helperDocs: Record<string, HelperDoc> = {
  default: doc(
    'The value, or a fallback if it is missing or empty.',
    '{{default missing "none"}}',
    'none',
  ),
  required: doc(
    'The value. Fails with the given message if it is missing or empty.',
    '{{required x "x is needed"}}',
    'Ab c',
  ),
  json: doc('The value as JSON.', '{{json map}}', '{"a":1,"b":2}'),
  pretty_json: doc(
    'The value as indented JSON.',
    '{{pretty_json list}}',
    '[\n  "b",\n  "a",\n  "b"\n]',
  ),
  from_json: doc('The value parsed from JSON.', '{{from_json "[1]"}}', [1]),
  yaml: doc('The value as YAML.', '{{yaml map}}', 'a: 1\nb: 2'),
  from_yaml: doc('The value parsed from YAML.', '{{from_yaml "a: 1"}}', { a: 1 }),
  toml: doc('The map as TOML.', '{{toml map}}', 'a = 1\nb = 2'),
  indent: doc(
    'The text with all lines after the first indented, by 2 spaces if no number is given.',
    '{{indent (yaml map) 4}}',
    'a: 1\n    b: 2',
  ),
  join: doc(
    'The items of a list joined to a text, with "," if no separator is given.',
    '{{join list "-"}}',
    'b-a-b',
  ),
  split: doc(
    'The text split into a list, at "," if no separator is given.',
    '{{split "a,b" ","}}',
    ['a', 'b'],
  ),
  lines: doc('The non-empty lines of a text.', '{{lines (yaml map)}}', ['a: 1', 'b: 2']),
  lower: doc('The text in lowercase.', '{{lower x}}', 'ab c'),
  upper: doc('The text in uppercase.', '{{upper x}}', 'AB C'),
  trim: doc('The text without whitespace at the start and end.', '{{trim "  a "}}', 'a'),
  concat: doc('The texts joined without a separator.', '{{concat x "!" }}', 'Ab c!'),
  replace: doc(
    'The text with every occurrence of one text replaced by another.',
    '{{replace x " " "_"}}',
    'Ab_c',
  ),
  regex_replace: doc(
    'The text with every match of a regular expression replaced; $1 is the first group.',
    '{{regex_replace x "([a-z]) " "$1-"}}',
    'Ab-c',
  ),
  b64encode: doc('The text encoded as Base64.', '{{b64encode x}}', 'QWIgYw=='),
  b64decode: doc('The text decoded from Base64.', '{{b64decode "QWIgYw=="}}', 'Ab c'),
  sha256: doc(
    'The SHA-256 checksum of the text in hexadecimal.',
    '{{sha256 ""}}',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  ),
  quote: doc('The text quoted as one word for a POSIX shell.', '{{quote x}}', "'Ab c'"),
  basename: doc('The last component of a path.', '{{basename "/etc/app/x.conf"}}', 'x.conf'),
  dirname: doc('The path without its last component.', '{{dirname "/etc/app/x.conf"}}', '/etc/app'),
  merge: doc(
    'The maps merged; later ones override earlier ones.',
    '{{merge map (from_json "{\\"b\\":3}")}}',
    { a: 1, b: 3 },
  ),
  keys: doc('The keys of a map.', '{{keys map}}', ['a', 'b']),
  values: doc('The values of a map.', '{{values map}}', [1, 2]),
  entries: doc('The map as a list of maps with key and value.', '{{entries map}}', [
    { key: 'a', value: 1 },
    { key: 'b', value: 2 },
  ]),
  from_entries: doc(
    'The map made from a list of maps with key and value; the inverse of entries.',
    '{{from_entries (entries map)}}',
    { a: 1, b: 2 },
  ),
  first: doc('The first item of a list.', '{{first list}}', 'b'),
  last: doc('The last item of a list.', '{{last list}}', 'b'),
  length: doc('The number of items, keys or characters.', '{{length list}}', 3),
  sort: doc('The list sorted as text.', '{{sort list}}', ['a', 'b', 'b']),
  reverse: doc('The list in reverse order.', '{{reverse (list 1 2)}}', [2, 1]),
  unique: doc('The list without duplicates.', '{{unique list}}', ['b', 'a']),
  flatten: doc(
    'The list with lists inside it flattened by one level.',
    '{{flatten (list (list 1) 2)}}',
    [1, 2],
  ),
  without: doc('The list without the items that equal a value.', '{{without list "b"}}', ['a']),
  map: doc('The list with a helper applied to each item.', '{{map list "upper"}}', ['B', 'A', 'B']),
  pluck: doc('The values of one key in a list of maps.', '{{pluck nodes "name"}}', ['m1', 'w1']),
  where: doc(
    'The maps in a list in which a key has the given value.',
    '{{pluck (where nodes "role" "worker") "name"}}',
    ['w1'],
  ),
  list: doc('A list of the arguments.', '{{list 1 "a"}}', [1, 'a']),
  range: doc(
    'The whole numbers from the first up to, but not including, the second.',
    '{{range 0 3}}',
    [0, 1, 2],
  ),
  zip: doc('Items of several lists combined by position.', '{{zip (list 1 2) (list "a" "b")}}', [
    [1, 'a'],
    [2, 'b'],
  ]),
  product: doc(
    'Every combination of an item of one list with an item of another.',
    '{{product (list 1 2) (list "a")}}',
    [
      [1, 'a'],
      [2, 'a'],
    ],
  ),
  get: doc(
    'The value at a key or index, or at several nested ones.',
    '{{get nodes 0 "name"}}',
    'm1',
  ),
  add: doc('The sum of the numbers.', '{{add 1 2 3}}', 6),
  subtract: doc('The first number minus the second.', '{{subtract 3 1}}', 2),
  multiply: doc('The product of the numbers.', '{{multiply 2 3}}', 6),
  divide: doc('The first number divided by the second.', '{{divide 6 4}}', 1.5),
  min: doc('The smallest number.', '{{min 3 1 2}}', 1),
  max: doc('The largest number.', '{{max 3 1 2}}', 3),
  int: doc('The number, or the number in a text, truncated to a whole number.', '{{int "8.5"}}', 8),
  bool: doc(
    'true for true, "true", "yes", "on", "1" and 1; otherwise false.',
    '{{bool "yes"}}',
    true,
  ),
  string: doc('The value as text.', '{{string 8}}', '8'),
  eq: doc('Whether two values are equal.', '{{eq 1 1}}', true),
  ne: doc('Whether two values differ.', '{{ne 1 1}}', false),
  lt: doc('Whether the first number is less than the second.', '{{lt 1 2}}', true),
  le: doc('Whether the first number is less than or equal to the second.', '{{le 2 2}}', true),
  gt: doc('Whether the first number is greater than the second.', '{{gt 1 2}}', false),
  ge: doc('Whether the first number is greater than or equal to the second.', '{{ge 2 2}}', true),
  and: doc('Whether all values are true.', '{{and true false}}', false),
  or: doc('Whether at least one value is true.', '{{or true false}}', true),
  not: doc('The negated value.', '{{not true}}', false),
  in: doc(
    'Whether a list contains an item, or a text contains another text.',
    '{{in "a" list}}',
    true,
  ),
  env: doc(
    'An environment variable of runner on the controller. Fails if it is not set and no fallback is given. The value is not masked: use an input with "secret: true" for a secret.',
    '{{env "HOME"}}',
    '/root',
  ),
  file: doc(
    'The content of a file on the controller without its last newline. A relative path is searched in "files/" of the role and next to the playbook.',
    '{{file "motd"}}',
    'content of motd',
  ),
  date: doc(
    'The start of the run in UTC, in a format of strftime(3). It is the same for all steps and hosts, and in a resumed run. Seconds since 1970 after the format select another time.',
    '{{date "%Y-%m-%d %H:%M"}}',
    '2026-03-01 22:00',
  ),
  version: doc(
    'Whether a comparison of two versions holds: ==, !=, <, <=, > or >=. Text after the dotted numbers is ignored.',
    '{{version "1.30.9+k0s.0" ">=" "1.30"}}',
    true,
  ),
  ternary: doc(
    'The second value if the first is true, otherwise the third.',
    '{{ternary true "yes" "no"}}',
    'yes',
  ),
};
